"""Runs one harness under atheris: ``python -m tests.fuzz.one NAME`` and options of libFuzzer."""

import sys
from tempfile import NamedTemporaryFile

import atheris


def main(name: str, options: list[str]) -> None:
    """Run it until a finding, or until the options end it."""
    with atheris.instrument_imports(include=["shim", "tests.fuzz", "tomllib"]):
        from shim import log  # noqa: PLC0415 - what is imported before is not watched
        from tests.fuzz import harnesses, limits  # noqa: PLC0415 - same

        log.configure("critical")
        harness = harnesses.load(name)

    def run(data: bytes) -> None:
        with limits.limited_time():
            harness.run(data)

    def mutate(data: bytes, most: int, seed: int) -> bytes:
        changed = harness.mutate(data, most, seed) if harness.mutate and seed % 2 else None
        return changed or atheris.Mutate(data, most)

    setup = {"custom_mutator": mutate} if harness.mutate else {}
    with NamedTemporaryFile("w", encoding="ascii") as words, limits.limited_memory(limits.FUZZER_MEBIBYTES):
        words.writelines('"{}"\n'.format("".join(f"\\x{byte:02x}" for byte in word)) for word in harness.words if word)
        words.flush()
        atheris.Setup([sys.argv[0], f"-dict={words.name}", *options], run, **setup)
        atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
