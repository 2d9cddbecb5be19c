import { expect } from "chai";
import { asFault } from "../../../base/fault.ts";
import { statusOf } from "../../../rtsp/server/reply.ts";
import { chooseTransport } from "../../../rtsp/server/transport.ts";

type Row = readonly [what: string, offered: string | undefined, taken: readonly number[], chosen: string | number];

const CHOICES: readonly Row[] = [
  ["the channels that are wanted", "RTP/AVP/TCP;unicast;interleaved=0-1", [], "0-1"],
  ["channels far up", "RTP/AVP/TCP;unicast;interleaved=168-169", [], "168-169"],
  ["an odd channel first", "RTP/AVP/TCP;unicast;interleaved=1-2", [], "1-2"],
  ["one channel: it and the next", "RTP/AVP/TCP;interleaved=4", [], "4-5"],
  ["none named: the first free pair", "RTP/AVP/TCP;unicast", [0, 1], "2-3"],
  ["taken ones: the first free pair", "RTP/AVP/TCP;unicast;interleaved=0-1", [0, 1], "2-3"],
  ["twice the same: the first free pair", "RTP/AVP/TCP;unicast;interleaved=0-0", [], "0-1"],
  ["TCP behind UDP", "RTP/AVP;unicast;client_port=5000-5001,RTP/AVP/TCP;unicast;interleaved=0-1", [], "0-1"],
  ["mode PLAY in quotes", 'RTP/AVP/TCP;unicast;interleaved=0-1;mode="PLAY"', [], "0-1"],
  ["UDP alone", "RTP/AVP;unicast;client_port=5000-5001", [], 461],
  ["multicast", "RTP/AVP/TCP;multicast", [], 461],
  ["recording", "RTP/AVP/TCP;unicast;interleaved=0-1;mode=record", [], 461],
  ["SRTP", "RTP/SAVP/TCP;unicast;interleaved=0-1", [], 461],
  ["no header", undefined, [], 461],
  ["nonsense", ";;;", [], 400],
  ["a channel beyond 255", "RTP/AVP/TCP;unicast;interleaved=256-257", [], 400],
];

describe("the transport of a SETUP", () => {
  for (const [what, offered, taken, chosen] of CHOICES)
    it(`${what}: ${chosen}`, () => {
      let outcome: string | number;
      try {
        outcome = chooseTransport(offered, (channel) => taken.includes(channel)).interleaved?.join("-") ?? "";
      } catch (error) {
        outcome = statusOf(asFault(error));
      }
      expect(outcome).to.equal(chosen);
    });
});
