"""Engine `gguf`: a model file run on this machine by llama.cpp, without a server that the operator must start."""
