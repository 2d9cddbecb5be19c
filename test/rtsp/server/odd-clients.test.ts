import { expect } from "chai";
import { type Client, groupOf, onStage, type Stage } from "./stage.ts";

/** [client, where that is told, what it asks of each track, the channels that it is given]. */
const CHANNELS: readonly (readonly [
  string,
  string,
  readonly (string | undefined)[],
  readonly (readonly number[])[],
])[] = [
  [
    "IndigoVision: 168 and up",
    "gortsplib#47",
    ["168-169", "170-171"],
    [
      [168, 169],
      [170, 171],
    ],
  ],
  [
    "SeeTec and Qognify: an odd one first",
    "mediamtx#1761",
    ["1-2", "3-4"],
    [
      [1, 2],
      [3, 4],
    ],
  ],
  [
    "none at all",
    "gortsplib PR#64",
    [undefined, undefined],
    [
      [0, 1],
      [2, 3],
    ],
  ],
  [
    "one alone, for RTP",
    "RFC 2326 12.39",
    ["4", undefined],
    [
      [4, 5],
      [0, 1],
    ],
  ],
  [
    "the same ones for both tracks",
    "mediamtx#1762",
    ["0-1", "0-1"],
    [
      [0, 1],
      [2, 3],
    ],
  ],
  [
    "the last ones there are",
    "RFC 2326 10.12",
    ["254-255", undefined],
    [
      [254, 255],
      [0, 1],
    ],
  ],
];

/** [how a client says that it is there, and by which product]. */
const SIGNS_OF_LIFE: readonly (readonly [method: string, headers: readonly string[], source: string])[] = [
  ["GET_PARAMETER", [], "live555, most VMS"],
  ["SET_PARAMETER", [], "mediamtx#842"],
  ["SET_PARAMETER", ["Content-Length: 0"], "mediamtx#2908"],
  ["OPTIONS", [], "ffmpeg"],
];

describe("clients that ask in ways of their own", () => {
  let stage: Stage;
  let client: Client;

  onStage((made, first) => {
    stage = made;
    client = first;
    for (const track of [0, 1]) stage.hub.publish(groupOf(10, { track }));
  });

  const setUp = async (track: number, transport: string): Promise<string | undefined> => {
    const reply = await client.ask("SETUP", `/live/gate/track${track}`, [`Transport: ${transport}`]);
    expect(reply.status).to.equal(200);
    client.session = reply.header("session")?.split(";")[0];
    return reply.header("transport");
  };

  for (const [what, source, wanted, given] of CHANNELS)
    it(`by channels, ${what} (${source}): given ${given.map((pair) => pair.join("-")).join(" and ")}`, async () => {
      for (const [track, channels] of wanted.entries()) {
        const asked = channels === undefined ? "" : `;interleaved=${channels}`;
        const answer = await setUp(track, `RTP/AVP/TCP;unicast${asked}`);
        expect(answer).to.include(`interleaved=${given[track]?.join("-")}`);
      }
      expect((await client.ask("PLAY", "/live/gate")).status).to.equal(200);
      await client.until(() => given.every(([rtp = 0]) => client.numbers(rtp).length > 0));
      const known = new Set(given.flat());
      expect(client.packets.filter(({ channel }) => !known.has(channel))).to.deep.equal([]);
    });

  for (const [method, headers, source] of SIGNS_OF_LIFE)
    it(`with ${[method, ...headers].join(", ")} and no body as a sign of life (${source}): 200, and the session goes on`, async () => {
      // Before PLAY nothing is sent, so that nothing else keeps it.
      await setUp(0, "RTP/AVP/TCP;unicast");
      for (let minute = 0; minute < 3; minute += 1) {
        await stage.clock.advance(50_000);
        const reply = await client.ask(method, "/live/gate", headers);
        expect(reply.status).to.equal(200);
        if (method !== "OPTIONS") expect(reply.header("session")).to.include(client.session);
      }
      expect((await client.ask("PLAY", "/live/gate")).status).to.equal(200);
    });

  it("with nothing at all before PLAY: the connection ends", async () => {
    await setUp(0, "RTP/AVP/TCP;unicast");
    await stage.clock.advance(150_000);
    await client.until(() => client.closed);
  });

  it("for UDP first, and for TCP when that is refused with 461, on one connection (Avigilon, go2rtc#1725)", async () => {
    await client.ask("DESCRIBE", "/live/gate");
    const refused = await client.ask("SETUP", "/live/gate/track0", [
      "Transport: RTP/AVP;unicast;client_port=5000-5001",
    ]);
    expect([refused.status, refused.header("session")]).to.deep.equal([461, undefined]);
    expect((await client.play("/live/gate", { tracks: 2 })).status).to.equal(200);
    await client.until(() => client.numbers(0).length > 0 && client.numbers(2).length > 0);
  });

  it("for UDP and TCP in one SETUP: given what there is", async () => {
    const answer = await setUp(0, "RTP/AVP;unicast;client_port=5000-5001,RTP/AVP/TCP;unicast;interleaved=0-1");
    expect(answer).to.match(/^RTP\/AVP\/TCP;unicast;interleaved=0-1/);
  });

  it("with the track behind the query, as GStreamer does, or the query lost (gortsplib server_session.go)", async () => {
    for (const path of ["/live/gate?x=1/track0", "/live/gate/track1?x=1"]) {
      const reply = await client.ask("SETUP", path, ["Transport: RTP/AVP/TCP;unicast"]);
      expect(reply.status, path).to.equal(200);
      client.session = reply.header("session")?.split(";")[0];
    }
    expect((await client.ask("PLAY", "/live/gate?x=1")).status).to.equal(200);
    await client.until(() => client.numbers(0).length > 0 && client.numbers(2).length > 0);
  });
});
