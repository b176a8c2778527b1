"""Engine `sphinx`: PocketSphinx with its embedded English model, in processes of its own."""
