"""The four blocks of the body: equations of the organs wired into what one filter moves."""
