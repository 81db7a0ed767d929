"""The process that searches: reads pattern and text, writes the match as JSON. Started by `probes.regexes` alone."""

from __future__ import annotations

import json
import re
import struct
import sys


def main() -> None:
    questions, answers = sys.stdin.buffer, sys.stdout.buffer
    answers.write(b"!")
    answers.flush()
    while head := questions.read(8):
        pattern_length, text_length = struct.unpack(">II", head)
        pattern = questions.read(pattern_length).decode("utf-8", "surrogatepass")
        text = questions.read(text_length).decode("utf-8", "surrogatepass")
        match = re.search(pattern, text)
        found = None if match is None else [match[0], match[1] if match.re.groups else match[0]]
        answer = json.dumps(found).encode("ascii")
        answers.write(struct.pack(">I", len(answer)) + answer)
        answers.flush()


if __name__ == "__main__":
    main()
