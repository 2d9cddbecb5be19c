import { expect } from "chai";
import * as fc from "fast-check";
import { parseTransport, printTransport, type TransportSpec } from "../../../rtsp/wire/transport.ts";
import { testHeader } from "../../support/header-table.ts";

const port = fc.nat(65_535);
const host = fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain());
const spec: fc.Arbitrary<TransportSpec> = fc.record(
  {
    protocol: fc.constantFrom("RTP/AVP", "RTP/AVP/TCP", "RTP/AVP/UDP", "RTP/SAVP"),
    delivery: fc.constantFrom("unicast" as const, "multicast" as const),
    interleaved: fc.tuple(fc.nat(255), fc.nat(255)),
    clientPort: fc.tuple(port, port),
    serverPort: fc.tuple(port, port),
    port: fc.tuple(port, port),
    ttl: fc.nat(255),
    source: host,
    destination: host,
    ssrc: fc.nat(0xffff_ffff),
    mode: fc.constantFrom("PLAY", "RECORD", "PLAY,RECORD"),
  },
  { requiredKeys: ["protocol"] },
);

describe("a Transport header", () => {
  testHeader<readonly TransportSpec[]>({
    rows: [
      [
        "interleaved",
        "RTP/AVP/TCP;unicast;interleaved=0-1",
        "RTP/AVP/TCP;unicast;interleaved=0-1",
        [{ protocol: "RTP/AVP/TCP", delivery: "unicast", interleaved: [0, 1] }],
      ],
      [
        "UDP, as a server answers",
        "RTP/AVP;unicast;client_port=5000-5001;server_port=6000-6001;ssrc=0000ABCD",
        "RTP/AVP;unicast;client_port=5000-5001;server_port=6000-6001;ssrc=0000ABCD",
        [
          {
            protocol: "RTP/AVP",
            delivery: "unicast",
            clientPort: [5000, 5001],
            serverPort: [6000, 6001],
            ssrc: 0xabcd,
          },
        ],
      ],
      [
        "multicast",
        "RTP/AVP;multicast;destination=239.1.2.3;port=5000-5001;ttl=16",
        "RTP/AVP;multicast;destination=239.1.2.3;ttl=16;port=5000-5001",
        [{ protocol: "RTP/AVP", delivery: "multicast", destination: "239.1.2.3", port: [5000, 5001], ttl: 16 }],
      ],
      [
        "alternatives, the preferred first",
        "RTP/AVP;unicast;client_port=5000-5001, RTP/AVP/TCP;interleaved=2-3",
        "RTP/AVP;unicast;client_port=5000-5001,RTP/AVP/TCP;interleaved=2-3",
        [
          { protocol: "RTP/AVP", delivery: "unicast", clientPort: [5000, 5001] },
          { protocol: "RTP/AVP/TCP", interleaved: [2, 3] },
        ],
      ],
      [
        "one number for a pair",
        "RTP/AVP;client_port=5000",
        "RTP/AVP;client_port=5000-5001",
        [{ protocol: "RTP/AVP", clientPort: [5000, 5001] }],
      ],
      [
        "the last channel for a pair",
        "RTP/AVP/TCP;interleaved=255",
        "RTP/AVP/TCP;interleaved=255-255",
        [{ protocol: "RTP/AVP/TCP", interleaved: [255, 255] }],
      ],
      [
        "blanks and other letters",
        " rtp/avp ; Unicast ; Client_Port = 5000 - 5001 ",
        "RTP/AVP;unicast;client_port=5000-5001",
        [{ protocol: "RTP/AVP", delivery: "unicast", clientPort: [5000, 5001] }],
      ],
      [
        "a mode in quotation marks",
        'RTP/AVP;mode="PLAY"',
        'RTP/AVP;mode="PLAY"',
        [{ protocol: "RTP/AVP", mode: "PLAY" }],
      ],
      ["a mode without", "RTP/AVP;mode=play", 'RTP/AVP;mode="play"', [{ protocol: "RTP/AVP", mode: "play" }]],
      [
        "two modes, with a comma between",
        'RTP/AVP;mode="PLAY,RECORD";unicast',
        'RTP/AVP;unicast;mode="PLAY,RECORD"',
        [{ protocol: "RTP/AVP", delivery: "unicast", mode: "PLAY,RECORD" }],
      ],
      [
        "an ssrc that is none",
        "RTP/AVP;ssrc= 12 34;unicast",
        "RTP/AVP;unicast",
        [{ protocol: "RTP/AVP", delivery: "unicast" }],
      ],
      ["parameters that we do not know", "RTP/AVP;layers=2;append;x", "RTP/AVP", [{ protocol: "RTP/AVP" }]],
      ["empty parameters and alternatives", ",RTP/AVP;;,", "RTP/AVP", [{ protocol: "RTP/AVP" }]],
    ],
    refused: [
      ["nothing", ""],
      ["commas alone", ",,"],
      ["a protocol with a blank", "RTP AVP;unicast"],
      ["a channel over 255", "RTP/AVP/TCP;interleaved=256-257"],
      ["a port over 65535", "RTP/AVP;client_port=65536-65537"],
      ["a port that is no number", "RTP/AVP;client_port=x"],
      ["a negative port", "RTP/AVP;client_port=-1"],
      ["a TTL over 255", "RTP/AVP;multicast;ttl=256"],
      ["too many alternatives", "RTP/AVP,".repeat(17)],
      ["too many parameters", `RTP/AVP${";x".repeat(25)}`],
      ["too much of it", `RTP/AVP;source=${"x".repeat(3000)}`],
    ],
    values: fc.array(spec, { minLength: 1, maxLength: 4 }),
    parse: parseTransport,
    print: (specs) => specs.map(printTransport).join(","),
  });

  it("does not let a quotation mark that stays open hide what follows", () => {
    expect(parseTransport('RTP/AVP;mode="PLAY;unicast,RTP/AVP/TCP')).to.have.length(2);
  });
});
