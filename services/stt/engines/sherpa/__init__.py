"""Engines `sensevoice`, `paraformer`, `zipformer`, `moonshine` and `whisper-onnx`: sherpa-onnx in this process."""
