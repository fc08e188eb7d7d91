//! Generators: state machines that exchange values with whoever resumes them.
