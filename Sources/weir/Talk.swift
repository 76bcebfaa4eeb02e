import Base
import Glibc

/// Results go to standard output.
func say(_ text: String) { writeText(text + "\n", to: STDOUT_FILENO) }

/// Everything else that a verb has to tell goes to standard error.
func talk(_ text: String) { writeText(text + "\n", to: STDERR_FILENO) }
