"""Speech in, words out: POST /v1/audio/transcriptions."""

import os

# numpy's threads would spin for a while after each product, on the cores where Whisper and the event loop are at work;
# what is multiplied here is small. Read by OpenBLAS when numpy is imported first.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
