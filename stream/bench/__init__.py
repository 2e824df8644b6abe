"""What `twin bench` measures: ours and a reference, interleaved in one run."""
