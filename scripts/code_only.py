"""Prints the code of Rust files as FILE:LINE:CODE, without what is not compiled into the library:
comments, the content of string and character literals, and items under #[cfg(test)]. Lines that
are empty then are left out.

    python3 scripts/code_only.py FILE...
"""

import re
import sys

TOKEN = re.compile(
    r"""
      (?P<line_comment> //[^\n]* )
    | (?P<block_comment> /\* )
    | (?P<raw> \b(?:br|cr|r)(?P<hashes>\#*)" )
    | (?P<string> " (?: \\. | [^"\\] )* " )
    | (?P<character> ' (?: \\ (?: u\{[^}]*\} | x[0-9a-fA-F]{2} | . ) | [^'\\\n] ) ' )
    """,
    re.VERBOSE | re.DOTALL,
)
TEST = re.compile(r"#\[cfg\(\s*test\s*\)\]")


def blank(text):
    return re.sub(r"[^\n]", " ", text)


def end_of_block_comment(text, start):
    depth = 0
    for mark in re.finditer(r"/\*|\*/", text[start:]):
        depth += 1 if mark.group() == "/*" else -1
        if depth == 0:
            return start + mark.end()
    return len(text)


def without_literals_and_comments(text):
    parts, at = [], 0
    while token := TOKEN.search(text, at):
        parts.append(text[at : token.start()])
        end = token.end()
        if token["block_comment"]:
            end = end_of_block_comment(text, token.start())
        elif token["raw"]:
            close = text.find('"' + token["hashes"], end)
            end = len(text) if close < 0 else close + 1 + len(token["hashes"])
        whole = text[token.start() : end]
        if token["line_comment"] or token["block_comment"]:
            parts.append(blank(whole))
        else:
            parts.append('"' + blank(whole[1:-1]) + '"')
        at = end
    parts.append(text[at:])
    return "".join(parts)


def end_of_item(code, start):
    """Where the item ends that begins at `start`: at its closing brace, or at a semicolon."""
    depth = 0
    for mark in re.finditer(r"[(){}\[\];]", code[start:]):
        if mark.group() in "({[":
            depth += 1
        elif mark.group() in ")}]":
            depth -= 1
        if depth == 0 and mark.group() in "};":
            return start + mark.end()
    return len(code)


def without_tests(code):
    while test := TEST.search(code):
        end = end_of_item(code, test.end())
        code = code[: test.start()] + blank(code[test.start() : end]) + code[end:]
    return code


for name in sys.argv[1:]:
    with open(name, encoding="utf-8") as file:
        code = without_tests(without_literals_and_comments(file.read()))
    for number, line in enumerate(code.split("\n"), 1):
        if line.strip():
            print(f"{name}:{number}:{line}")
