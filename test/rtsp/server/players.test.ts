import { expect } from "chai";
import { type Client, groupOf, onStage, type Stage } from "./stage.ts";

const VIDEO = "RTP/AVP/TCP;unicast;interleaved=0-1";
const AUDIO = "RTP/AVP/TCP;unicast;interleaved=2-3";
const USUAL = [`SETUP /live/gate/track0 | Transport: ${VIDEO}`, `SETUP /live/gate/track1 | Transport: ${AUDIO}`];

/** What a client sends, line for line: `METHOD address | header | header`, and what it is answered where that is not 200. */
type Asked = string | readonly [request: string, status: number];

/** [what a player does, where that is told, its requests, the channels on which it is sent something in the end]. */
const PLAYERS: readonly (readonly [string, string, readonly Asked[], readonly number[]])[] = [
  [
    "asks for everything by the book",
    "RFC 2326",
    ["OPTIONS *", "DESCRIBE /live/gate | Accept: application/sdp", ...USUAL, "PLAY /live/gate | Range: npt=0.000-"],
    [0, 2],
  ],
  [
    "puts a slash behind every address",
    "VLC, live555: Content-Base",
    [
      "DESCRIBE /live/gate/",
      `SETUP /live/gate/track0/ | Transport: ${VIDEO}`,
      `SETUP /live/gate/track1/ | Transport: ${AUDIO}`,
      "PLAY /live/gate/ | Range: npt=0.000-",
    ],
    [0, 2],
  ],
  [
    "puts two slashes between address and track",
    "clients that join Content-Base and track by a slash of their own",
    [`SETUP /live/gate//track0 | Transport: ${VIDEO}`, "PLAY /live/gate//"],
    [0],
  ],
  [
    "writes user and password into its addresses",
    "Ullaakut/cameradar#199",
    [
      `SETUP rtsp://vms:secret@127.0.0.1/live/gate/track0 | Transport: ${VIDEO}`,
      "PLAY rtsp://vms:secret@127.0.0.1/live/gate",
    ],
    [0],
  ],
  [
    "names another host than it has dialed, in capitals, without a port",
    "clients behind address translation",
    [`SETUP RTSP://NVR.EXAMPLE/live/gate/track0 | Transport: ${VIDEO}`, "PLAY RTSP://NVR.EXAMPLE/live/gate"],
    [0],
  ],
  [
    "sets up sound before the picture",
    "GStreamer rtspsrc, select-stream",
    [
      `SETUP /live/gate/track1 | Transport: ${AUDIO}`,
      `SETUP /live/gate/track0 | Transport: ${VIDEO}`,
      "PLAY /live/gate",
    ],
    [0, 2],
  ],
  ["wants no sound", "Frigate, ffmpeg -an", [`SETUP /live/gate/track0 | Transport: ${VIDEO}`, "PLAY /live/gate"], [0]],
  [
    "sets up one track twice",
    "clients that lose an answer",
    [...USUAL, `SETUP /live/gate/track0 | Transport: ${VIDEO}`, "PLAY /live/gate"],
    [0, 2],
  ],
  ["plays twice", "RFC 2326 A.2", [...USUAL, "PLAY /live/gate", "PLAY /live/gate"], [0, 2]],
  [
    "plays the address of its only track",
    "live555 playMediaSubsession",
    [`SETUP /live/gate/track0 | Transport: ${VIDEO}`, "PLAY /live/gate/track0"],
    [0],
  ],
  [
    "pauses, and plays on from now",
    "VLC",
    [...USUAL, "PLAY /live/gate", "PAUSE /live/gate", "PLAY /live/gate | Range: npt=now-"],
    [0, 2],
  ],
  ...(["npt=now-", "npt=0-", "npt=0.000-", "npt=0:00:00.00-", "npt = 0 -", "clock=20260101T000000Z-"] as const).map(
    (range) =>
      [`plays live from ${range}`, "RFC 2326 12.29", [...USUAL, `PLAY /live/gate | Range: ${range}`], [0, 2]] as const,
  ),
  [
    "plays live at a scale and a speed",
    "RFC 2326 12.34, 12.35",
    [...USUAL, "PLAY /live/gate | Range: npt=0.000- | Scale: 1.0 | Speed: 1.000"],
    [0, 2],
  ],
  [
    "tells of itself what nobody asks for",
    "QuickTime, Helix",
    [
      "DESCRIBE /live/gate | Accept: application/sdp | Bandwidth: 512000 | Accept-Language: de-DE | User-Agent: QTS (qtver=7.7.9)",
      `SETUP /live/gate/track0 | Transport: ${VIDEO} | x-retransmit: our-retransmit | x-dynamic-rate: 1 | x-transport-options: late-tolerance=2.9 | Blocksize: 1400`,
      "PLAY /live/gate | Supported: play.basic | X-Empty:",
    ],
    [0],
  ],
  [
    "writes the names of its fields in small letters, without blanks behind colons",
    "RFC 2326 4.2",
    [`SETUP /live/gate/track0 | transport:${VIDEO}`, "PLAY /live/gate | range:npt=0.000-"],
    [0],
  ],
  [
    "gives back the time-out with its session",
    "Larix: bluenviron/mediamtx#815",
    [...USUAL, "PLAY /live/gate | Session: $;timeout=60"],
    [0, 2],
  ],
  [
    "names a session of its own",
    "bluenviron/mediamtx#579",
    [[`SETUP /live/gate/track0 | Transport: ${VIDEO} | Session: mine`, 454], USUAL[0] ?? "", "PLAY /live/gate"],
    [0],
  ],
  [
    "plays without naming its session",
    "RFC 2326 10.5",
    [...USUAL, ["PLAY /live/gate | Session: ", 454], "PLAY /live/gate"],
    [0, 2],
  ],
  ...(
    [
      "RTP/AVP/TCP;interleaved=0-1",
      "RTP/AVP/TCP;unicast;interleaved=0-1;mode=play",
      'RTP/AVP/TCP;unicast;interleaved=0-1;mode="PLAY"',
      "RTP/AVP/TCP; unicast; interleaved = 0-1",
      "RTP/AVP/TCP;unicast;interleaved=0-1;ssrc=DEADBEEF;append",
      "rtp/avp/tcp;unicast;interleaved=0-1",
      "RTP/AVP/UDP;unicast;client_port=5000-5001, RTP/AVP/TCP;unicast;interleaved=0-1",
    ] as const
  ).map(
    (transport) =>
      [
        `asks for ${transport}`,
        "RFC 2326 12.39",
        [`SETUP /live/gate/track0 | Transport: ${transport}`, "PLAY /live/gate"],
        [0],
      ] as const,
  ),
  [
    "ends its sound alone",
    "RFC 2326 10.7; GStreamer rtspsrc without aggregate control",
    [...USUAL, "PLAY /live/gate", "TEARDOWN /live/gate/track1"],
    [0],
  ],
  [
    "ends the picture before it plays",
    "RFC 2326 10.7",
    [...USUAL, "TEARDOWN /live/gate/track0", "PLAY /live/gate"],
    [2],
  ],
  [
    "ends one track after the other, and begins again",
    "GStreamer rtspsrc without aggregate control",
    [
      ...USUAL,
      "PLAY /live/gate",
      "TEARDOWN /live/gate/track0",
      "TEARDOWN /live/gate/track1",
      ["PLAY /live/gate", 454],
      `SETUP /live/gate/track0 | Transport: ${VIDEO} | Session: `,
      "PLAY /live/gate",
    ],
    [0],
  ],
  [
    "ends everything by whatever address",
    "clients that keep the address of DESCRIBE",
    [...USUAL, "TEARDOWN *", ["PLAY /live/gate", 454], `${USUAL[0]} | Session: `, "PLAY /live/gate"],
    [0],
  ],
];

describe("players, as they ask", () => {
  let stage: Stage;
  let client: Client;
  onStage((made, first) => {
    stage = made;
    client = first;
  });

  let sequence = 0;
  /** `$`: the session that the server gave; it is named unless the request does. */
  const ask = async (request: string): Promise<number> => {
    const [line = "", ...fields] = request.split(" | ");
    const [method = "", address = ""] = line.split(" ");
    const session = client.session ?? "";
    const named = fields.some((field) => /^session:/i.test(field));
    const own = fields.filter((field) => field !== "Session: ").map((field) => field.replace("$", session));
    client.write(
      [
        `${method} ${/^(?:rtsp:|\*)/i.test(address) ? address : `rtsp://127.0.0.1:${stage.port}${address}`} RTSP/1.0`,
        `cseq:${sequence}`,
        "Authorization: Test vms",
        ...(session === "" || named ? [] : [`Session: ${session}`]),
        ...own,
        "",
        "",
      ].join("\r\n"),
    );
    const reply = await client.reply(sequence);
    sequence += 1;
    const given = reply.header("session")?.split(";")[0];
    if (reply.status === 200 && given !== undefined) client.session = given;
    if (method === "TEARDOWN" && reply.status === 200 && given === undefined) client.session = undefined;
    return reply.status;
  };

  for (const [what, source, requests, channels] of PLAYERS)
    it(`one ${what} (${source})`, async () => {
      sequence = 0;
      for (const asked of requests) {
        const [request, status] = typeof asked === "string" ? [asked, 200] : asked;
        expect(await ask(request), request).to.equal(status);
      }
      const before = client.packets.length;
      const heard = (): readonly number[] =>
        [...new Set(client.packets.slice(before).map(({ channel }) => channel))].filter((channel) => channel % 2 === 0);
      for (const number of [10, 11]) for (const track of [0, 1]) stage.hub.publish(groupOf(number, { track }));
      await client.until(() => channels.every((channel) => heard().includes(channel)));
      // What was published is on its way before the answer to this.
      await ask("OPTIONS *");
      expect(heard().toSorted((a, b) => a - b)).to.deep.equal(channels);
    });
});
