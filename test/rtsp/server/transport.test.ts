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

const UDP: readonly (readonly [
  what: string,
  offered: string,
  others: "interleaved" | "udp" | undefined,
  chosen: string | number,
])[] = [
  ["its own ports", "RTP/AVP;unicast;client_port=5000-5001", undefined, "udp 5000-5001"],
  ["the long name of the same", "RTP/AVP/UDP;unicast;client_port=5000-5001", undefined, "udp 5000-5001"],
  ["what it wants first", "RTP/AVP/TCP;interleaved=0-1,RTP/AVP;client_port=5000-5001", undefined, "interleaved 0-1"],
  ["its own address", "RTP/AVP;client_port=5000-5001;destination=192.0.2.1", undefined, "udp 5000-5001"],
  [
    "its own address, written as IPv6",
    "RTP/AVP;client_port=5000-5001;destination=::ffff:192.0.2.1",
    undefined,
    "udp 5000-5001",
  ],
  ["the same way as other tracks", "RTP/AVP/TCP;unicast,RTP/AVP;client_port=5002-5003", "udp", "udp 5002-5003"],
  [
    "TCP where other tracks have it",
    "RTP/AVP;client_port=5002-5003,RTP/AVP/TCP;unicast",
    "interleaved",
    "interleaved 0-1",
  ],
  ["the address of another", "RTP/AVP;unicast;client_port=5000-5001;destination=192.0.2.66", undefined, 461],
  ["the name of another", "RTP/AVP;unicast;client_port=5000-5001;destination=victim.example", undefined, 461],
  ["a port of a service", "RTP/AVP;unicast;client_port=53-54", undefined, 461],
  ["a port of a service for reports", "RTP/AVP;unicast;client_port=5000-123", undefined, 461],
  ["one port for both", "RTP/AVP;unicast;client_port=5000-5000", undefined, 461],
  ["no ports", "RTP/AVP;unicast", undefined, 461],
  ["multicast", "RTP/AVP;multicast;client_port=5000-5001", undefined, 461],
  ["SRTP", "RTP/SAVP;unicast;client_port=5000-5001", undefined, 461],
  ["another way than other tracks", "RTP/AVP;unicast;client_port=5000-5001", "interleaved", 461],
  ["no other way than other tracks", "RTP/AVP/TCP;unicast;interleaved=0-1", "udp", 461],
];

const GROUP = { address: "239.192.0.7", ports: [20_000, 20_001], ttl: 3 } as const;

const MULTICAST: readonly (readonly [
  what: string,
  offered: string,
  others: "interleaved" | "udp" | "multicast" | undefined,
  chosen: string | number,
])[] = [
  ["the group", "RTP/AVP;multicast", undefined, "multicast 20000-20001"],
  ["the group by the long name", "RTP/AVP/UDP;multicast;mode=play", "multicast", "multicast 20000-20001"],
  ["the group's own address", "RTP/AVP;multicast;destination=239.192.0.7", undefined, "multicast 20000-20001"],
  ["our ports, whatever is wanted", "RTP/AVP;multicast;port=4000-4001;ttl=200", undefined, "multicast 20000-20001"],
  ["what it wants first", "RTP/AVP;unicast;client_port=5000-5001,RTP/AVP;multicast", undefined, "udp 5000-5001"],
  ["TCP behind another group", "RTP/AVP;multicast;destination=239.1.1.1,RTP/AVP/TCP", undefined, "interleaved 0-1"],
  ["another group", "RTP/AVP;multicast;destination=239.1.1.1", undefined, 461],
  ["the address of another as group", "RTP/AVP;multicast;destination=192.0.2.66", undefined, 461],
  ["multicast of TCP", "RTP/AVP/TCP;multicast", undefined, 461],
  ["multicast of SRTP", "RTP/SAVP;multicast", undefined, 461],
  ["another way than other tracks", "RTP/AVP;multicast", "udp", 461],
  ["no other way than other tracks", "RTP/AVP/TCP;unicast,RTP/AVP;client_port=5000-5001", "multicast", 461],
];

const SRTP: readonly (readonly [
  what: string,
  offered: string,
  others: "interleaved" | "udp" | "srtp" | undefined,
  chosen: string | number,
])[] = [
  ["its own ports", "RTP/SAVP;unicast;client_port=5000-5001", undefined, "srtp 5000-5001"],
  ["the long name of the same", "RTP/SAVP/UDP;unicast;client_port=5000-5001", "srtp", "srtp 5000-5001"],
  [
    "TCP where it wants that first",
    "RTP/AVP/TCP;interleaved=0-1,RTP/SAVP;client_port=5000-5001",
    undefined,
    "interleaved 0-1",
  ],
  ["nothing in the clear", "RTP/AVP;unicast;client_port=5000-5001", undefined, 461],
  ["nothing in the clear beside it", "RTP/AVP;unicast;client_port=5002-5003", "srtp", 461],
  ["the address of another", "RTP/SAVP;unicast;client_port=5000-5001;destination=192.0.2.66", undefined, 461],
  ["a port of a service", "RTP/SAVP;unicast;client_port=53-54", undefined, 461],
  ["SRTP with feedback", "RTP/SAVPF;unicast;client_port=5000-5001", undefined, 461],
  ["SRTP inside the connection", "RTP/SAVP/TCP;unicast;interleaved=0-1", undefined, 461],
];

function choose(...of: Parameters<typeof chooseTransport>): string | number {
  try {
    const { way, pair } = chooseTransport(...of);
    return `${way} ${pair.join("-")}`;
  } catch (error) {
    return statusOf(asFault(error));
  }
}

describe("the transport of a SETUP", () => {
  for (const [what, offered, taken, chosen] of CHOICES)
    it(`${what}: ${chosen}`, () => {
      const isTaken = (channel: number): boolean => taken.includes(channel);
      expect(
        choose(offered, { isTaken, udpTo: undefined, srtpTo: undefined, multicast: undefined, others: undefined }),
      ).to.equal(typeof chosen === "number" ? chosen : `interleaved ${chosen}`);
    });

  for (const [what, offered, others, chosen] of UDP)
    it(`where there is UDP, ${what}: ${chosen}`, () => {
      expect(
        choose(offered, { isTaken: () => false, udpTo: "192.0.2.1", srtpTo: undefined, multicast: undefined, others }),
      ).to.equal(chosen);
    });

  for (const [what, offered, others, chosen] of MULTICAST)
    it(`where there is multicast, ${what}: ${chosen}`, () => {
      const choices = { isTaken: () => false, udpTo: "192.0.2.1", srtpTo: undefined, multicast: GROUP, others };
      expect(choose(offered, choices)).to.equal(chosen);
    });

  for (const [what, offered, others, chosen] of SRTP)
    it(`where there is SRTP, ${what}: ${chosen}`, () => {
      const choices = { isTaken: () => false, udpTo: undefined, srtpTo: "192.0.2.1", multicast: undefined, others };
      expect(choose(offered, choices)).to.equal(chosen);
    });
});
