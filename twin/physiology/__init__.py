"""One organ system a file: equations as plain scalar functions, in the words of the papers."""
