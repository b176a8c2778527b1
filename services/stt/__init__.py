"""Speech in, words out: POST /v1/audio/transcriptions."""

from chassis.process import multiply_in_one_thread

multiply_in_one_thread()  # before anything in here imports numpy
