"""Engine `gguf`: a model file run in this process by llama.cpp."""
