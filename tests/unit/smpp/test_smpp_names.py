"""Every number a peer may send has a readable name."""

import pytest

from loa.smpp import status, tlv
from loa.smpp.commands import command_name
from loa.smpp.faults import ProtocolError


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (0, "ESME_ROK"),
        (0x58, "ESME_RTHROTTLED"),
        (0x112, "ESME_RINVBCASTCHANIND"),
        (0x400, "vendor status 0x400"),
        (0x4FF, "vendor status 0x4FF"),
        (0x500, "status 0x500"),
        (0xFFFFFFFF, "status 0xFFFFFFFF"),
    ],
)
def test_a_status_has_a_name(number: int, name: str):
    assert status.status_name(number) == name


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (4, "submit_sm"),
        (0x80000004, "submit_sm_resp"),
        (0x80000000, "generic_nack"),
        (0x80000009, "bind_transceiver_resp"),
        (0x77, "command 0x00000077"),
        (0x80000077, "command 0x80000077"),
    ],
)
def test_a_command_has_a_name(number: int, name: str):
    assert command_name(number) == name


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        (0x001E, "receipted_message_id"),
        (0x0424, "message_payload"),
        (0x1400, "vendor parameter 0x1400"),
        (0x9999, "parameter 0x9999"),
    ],
)
def test_a_parameter_has_a_name(tag: int, name: str):
    assert tlv.tag_name(tag) == name


def test_a_fault_names_its_status_and_answers_with_a_bare_header():
    fault = ProtocolError("odd", status=3, sequence=0xFFFFFFFF)
    assert str(fault) == "odd (ESME_RINVCMDID)"
    assert fault.answer == bytes.fromhex("00000010800000000000000" + "3ffffffff")
    assert fault.code == "smpp_protocol"
