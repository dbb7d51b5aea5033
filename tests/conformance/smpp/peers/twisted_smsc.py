"""An SMSC made of the server of smpp.twisted3: a program of its own, told nothing but a name and a password.

Writes one JSON object a line: the port, each submit as that library read it, each answer to a receipt. Accepts every
submit and reports it as delivered.
"""

import json
import sys

from smpp.pdu.operations import DeliverSM
from smpp.pdu.pdu_types import AddrNpi, AddrTon, CommandStatus, EsmClass, EsmClassMode, EsmClassType, MessageState
from smpp.twisted.config import SMPPServerConfig
from smpp.twisted.protocol import DataHandlerResponse
from smpp.twisted.server import IAuthenticatedSMPP, SMPPServerFactory
from twisted.cred import error
from twisted.internet import defer, reactor

SYSTEM_ID, PASSWORD = sys.argv[1], sys.argv[2]


def say(**line):
    print(json.dumps(line), flush=True)


class OneAccount:
    """Stands where that library wants a cred portal."""

    def login(self, credentials, _, interface):
        if (credentials.username, credentials.password) != (SYSTEM_ID, PASSWORD):
            return defer.fail(error.UnauthorizedLogin())
        return defer.succeed((interface, SYSTEM_ID, lambda: None))


class Messages:
    def __init__(self):
        self.count = 0

    def taken(self, system_id, link, pdu):
        self.count += 1
        ref = f"tw-{self.count:04x}"
        say(
            submit=pdu.params["short_message"].hex(),
            coding=str(pdu.params["data_coding"].schemeData),
            esm=[feature.name for feature in pdu.params["esm_class"].gsmFeatures],
            source=pdu.params["source_addr"].decode(),
            destination=pdu.params["destination_addr"].decode(),
            receipt=pdu.params["registered_delivery"].receipt.name,
            validity=bool(pdu.params["validity_period"]),
            ref=ref,
        )
        reactor.callLater(0, self.report, link, pdu, ref)
        return DataHandlerResponse(status=CommandStatus.ESME_ROK, message_id=ref.encode())

    def report(self, link, pdu, ref):
        text = f"id:{ref} sub:001 dlvrd:001 submit date:2611240101 done date:2611240102 stat:DELIVRD err:000 text:"
        receipt = DeliverSM(
            source_addr_ton=AddrTon.INTERNATIONAL,
            source_addr_npi=AddrNpi.ISDN,
            source_addr=pdu.params["destination_addr"],
            destination_addr=pdu.params["source_addr"],
            esm_class=EsmClass(EsmClassMode.DEFAULT, EsmClassType.SMSC_DELIVERY_RECEIPT),
            short_message=text.encode(),
            receipted_message_id=ref.encode(),
            message_state=MessageState.DELIVERED,
        )
        answered = link.sendDataRequest(receipt)
        answered.addCallback(lambda result: say(answered=result.response.status.name, ref=ref))
        answered.addErrback(lambda failure: say(unanswered=failure.getErrorMessage(), ref=ref))


config = SMPPServerConfig(systems={SYSTEM_ID: {"max_bindings": 2}}, msgHandler=Messages().taken)
port = reactor.listenTCP(0, SMPPServerFactory(config, OneAccount()), interface="127.0.0.1")
say(port=port.getHost().port, interface=IAuthenticatedSMPP.__name__)
reactor.run()
