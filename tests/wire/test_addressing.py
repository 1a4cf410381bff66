import pytest

from shim.wire.addressing import ADDRESSING


@pytest.mark.parametrize("namespace", list(ADDRESSING))
def test_the_addresses_of_a_version_are_in_its_namespace(namespace: str) -> None:
    addressing = ADDRESSING[namespace]
    assert addressing.namespace == namespace
    assert addressing.anonymous.startswith(namespace)
    assert addressing.fault_action == f"{namespace}/fault"
