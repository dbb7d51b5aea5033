"""What each status means."""

import pytest

from loa.smpp import status as s
from loa.smpp.outcomes import NAMES, StatusClass, classify


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        (s.ESME_ROK, StatusClass.ACCEPTED),
        (s.ESME_RTHROTTLED, StatusClass.THROTTLED),
        (s.ESME_RMSGQFUL, StatusClass.THROTTLED),
        (s.ESME_RSYSERR, StatusClass.DEFERRED),
        (s.ESME_RX_T_APPN, StatusClass.DEFERRED),
        (s.ESME_RSUBMITFAIL, StatusClass.DEFERRED),
        (s.ESME_RINVSRCADR, StatusClass.REFUSED),
        (s.ESME_RINVDSTADR, StatusClass.REFUSED),
        (s.ESME_RINVMSGLEN, StatusClass.REFUSED),
        (s.ESME_RINVESMCLASS, StatusClass.REFUSED),
        (s.ESME_RINVSRCTON, StatusClass.REFUSED),
        (s.ESME_RINVSRCNPI, StatusClass.REFUSED),
        (s.ESME_RINVDSTTON, StatusClass.REFUSED),
        (s.ESME_RINVDSTNPI, StatusClass.REFUSED),
        (s.ESME_RINVSCHED, StatusClass.REFUSED),
        (s.ESME_RINVEXPIRY, StatusClass.REFUSED),
        (s.ESME_RX_R_APPN, StatusClass.REFUSED),
        (s.ESME_RINVBNDSTS, StatusClass.NOT_BOUND),
        (s.ESME_RALYBND, StatusClass.ALREADY_BOUND),
        (s.ESME_RBINDFAIL, StatusClass.BIND_REFUSED),
        (s.ESME_RINVPASWD, StatusClass.BIND_REFUSED),
        (s.ESME_RINVSYSID, StatusClass.BIND_REFUSED),
        (s.ESME_RPROHIBITED, StatusClass.REFUSED),
        (0x401, StatusClass.DEFERRED),
        (0x7FFFFFFF, StatusClass.DEFERRED),
    ],
)
def test_a_status_has_a_meaning(status: int, meaning: StatusClass):
    assert classify(status) is meaning


def test_the_channels_own_map_wins():
    overrides = {0x401: StatusClass.REFUSED, s.ESME_RSYSERR: NAMES["throttled"]}
    assert classify(0x401, overrides) is StatusClass.REFUSED
    assert classify(s.ESME_RSYSERR, overrides) is StatusClass.THROTTLED
    assert classify(0x402, overrides) is StatusClass.DEFERRED
