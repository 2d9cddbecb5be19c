import { once } from "node:events";
import { readdirSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { expect } from "chai";
import { openPortPair } from "../../net/udp.ts";
import { type Client, groupOf, Stage } from "../rtsp/server/stage.ts";

const URI = "rtsp://127.0.0.1/live/gate";
const TCP = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1";

const request = (method: string, headers: readonly string[] = [], body = ""): string =>
  [`${method} ${URI} RTSP/1.0`, "CSeq: 1", ...headers, "", body].join("\r\n");
/** An empty receiver report, as every compound packet begins with one, and a picture loss indication (RFC 4585 6.3.1). */
const KEY_REQUEST = Buffer.from("80c900010000000181ce00020000000100000064", "hex");
const PLAY = request("PLAY", ["Authorization: Test vms", "Session: 1"]);
/** As a body, or in a packet. */
const within = (text: string): string => `$\0${String.fromCharCode(text.length >> 8, text.length & 0xff)}${text}`;
const bodied = (text: string, length = text.length): string =>
  request("SET_PARAMETER", [`Content-Length: ${length}`], text);

/** [what is sent without a log-in, its bytes, the answers, whether more may be asked on the connection]. */
const SENT: readonly (readonly [string, string, readonly number[], "open" | "closed"])[] = [
  ["a request in the body of another, which nobody asks for", bodied(PLAY), [451], "open"],
  ["a body that is longer than it says: the rest is no request", bodied(`abc${PLAY}`, 3), [451, 454], "open"],
  ["a body whose rest is rubbish", bodied("abcdef\r\n\r\n", 3), [400], "closed"],
  [
    "two lengths that differ",
    request("SET_PARAMETER", ["Content-Length: 0", "Content-Length: 5"], PLAY),
    [400],
    "closed",
  ],
  ["one length twice", request("SET_PARAMETER", ["Content-Length: 3", "content-length: 3"], "abc"), [400], "closed"],
  ["two lengths in one", request("SET_PARAMETER", ["Content-Length: 3, 3"], "abc"), [400], "closed"],
  ["a length with a blank before its colon", request("SET_PARAMETER", ["Content-Length : 3"], "abc"), [400], "closed"],
  ["a length that is negative", request("SET_PARAMETER", ["Content-Length: -1"]), [400], "closed"],
  ["a length that no body has", request("SET_PARAMETER", ["Content-Length: 4294967297"]), [400], "closed"],
  ["a body in chunks", request("SET_PARAMETER", ["Transfer-Encoding: chunked"], "0\r\n\r\n"), [400], "closed"],
  ["two sequence numbers", request("OPTIONS", ["CSeq: 2"]), [400], "closed"],
  ["no sequence number", `OPTIONS ${URI} RTSP/1.0\r\n\r\n`, [400], "open"],
  ["a sequence number that is none", `OPTIONS ${URI} RTSP/1.0\r\nCSeq: ${"-1;".repeat(200)}\r\n\r\n`, [200], "open"],
  ["a header that goes on in the next line", request("OPTIONS", ["X: a", " Session: 1"]), [400], "closed"],
  ["lines that end with LF alone", request("OPTIONS").replaceAll("\r\n", "\n"), [400], "closed"],
  ["a line that ends with CR alone", request("OPTIONS", ["X: a\rCSeq: 2"]), [400], "closed"],
  ["NUL", request("OPTIONS", ["X: a\0b"]), [400], "closed"],
  ["a line without end", `OPTIONS rtsp://${"x".repeat(9000)}`, [400], "closed"],
  ["a head without end", `OPTIONS * RTSP/1.0\r\n${`X: ${"x".repeat(4000)}\r\n`.repeat(9)}`, [400], "closed"],
  [
    "a head of a hundred lines",
    request(
      "OPTIONS",
      Array.from({ length: 100 }, () => "X: 1"),
    ),
    [400],
    "closed",
  ],
  ["an address of 4 KB", `DESCRIBE rtsp://h/${"x".repeat(4096)} RTSP/1.0\r\nCSeq: 1\r\n\r\n`, [401], "open"],
  ["a packet with a request in it", within(PLAY), [400], "closed"],
  ["a packet of 64 KB that never ends", `$\0\xff\xff${"x".repeat(70_000)}`, [400], "closed"],
  ["an answer where requests belong", "RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n", [400], "closed"],
  ["blank lines without end", "\r\n".repeat(100), [400], "closed"],
  ["a hundred requests at once", request("OPTIONS").repeat(100), [400], "closed"],
  ["HTTP", "GET / HTTP/1.1\r\nHost: h\r\n\r\n", [400], "closed"],
  ["TLS where there is none", "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\r\n", [400], "closed"],
  ["another version", request("OPTIONS").replace("RTSP/1.0", "RTSP/2.0"), [505], "open"],
  ["methods that nobody knows", request("RECORD") + request("__PROTO__"), [501, 501], "open"],
  [
    "PLAY, PAUSE and TEARDOWN without a session",
    `${PLAY}${request("PAUSE")}${request("TEARDOWN")}`,
    [454, 454, 454],
    "open",
  ],
];

/** [what somebody with an account sends, headers of their SETUP, its status]. */
const SETUPS: readonly (readonly [string, string, number])[] = [
  ["to somebody else's address", "RTP/AVP;unicast;destination=192.0.2.1;client_port=5000-5001", 461],
  ["to somebody else's address, by name", "RTP/AVP;unicast;destination=victim.example;client_port=5000-5001", 461],
  ["to everybody", "RTP/AVP;multicast;destination=239.1.1.1;port=5000-5001", 461],
  ["to a name server", "RTP/AVP;unicast;client_port=53-54", 461],
  ["to one port for both", "RTP/AVP;unicast;client_port=5000-5000", 461],
  ["to no port", "RTP/AVP;unicast;client_port=0-0", 461],
  ["to ports that there are not", "RTP/AVP;unicast;client_port=65535-65536", 400],
  ["in order to record", "RTP/AVP/TCP;unicast;interleaved=0-1;mode=record", 461],
  ["on channels that there are not", "RTP/AVP/TCP;unicast;interleaved=255-256", 400],
  ["with a hundred alternatives", Array.from({ length: 100 }, () => "RTP/AVP").join(), 400],
  ["with nothing", "", 400],
];

describe("hostile clients of RTSP", () => {
  let stage: Stage;
  let reader: Client;
  let published = 0;

  beforeEach(async () => {
    stage = new Stage({ udp: true });
    await stage.start();
    reader = await stage.client();
    published = 0;
    await reader.play("/live/gate");
  });
  afterEach(async () => {
    // Whatever went on: the reader has been sent every frame once, in order.
    await publish();
    expect(reader.numbers()).to.deep.equal(Array.from({ length: published }, (_, number) => number));
    expect(stage.hub.readers).to.equal(1);
    reader.socket.destroy();
    await stage.close();
    expect(stage.clock.pending, "timers").to.equal(0);
    expect(stage.hub.readers, "readers").to.equal(0);
  });

  /** Ten frames, all of which the reader gets. */
  const publish = async (): Promise<void> => {
    for (let count = 0; count < 10; count += 1) stage.hub.publish(groupOf(published++));
    await reader.until(() => reader.numbers().length >= published || reader.closed);
  };

  for (const [what, text, statuses, then] of SENT)
    it(`send ${what}: ${statuses.join(", ")}, ${then}`, async () => {
      const client = await stage.client();
      await publish();
      client.write(Buffer.from(text, "latin1"));
      if (then === "open") client.request("OPTIONS", "*", ["X-Last: 1"], "");
      const expected = then === "open" ? [...statuses, 200] : statuses;
      const seen: number[] = [];
      for (const index of expected.keys()) seen.push((await client.reply(index)).status);
      expect(seen).to.deep.equal(expected);
      if (then === "closed") await client.until(() => client.closed);
      expect(client.closed).to.equal(then === "closed");
      expect(stage.opened, "nothing was opened in their name").to.have.length(2);
      client.socket.destroy();
    });

  for (const [what, transport, status] of SETUPS)
    it(`want a stream ${what}: ${status}`, async () => {
      const client = await stage.client();
      const reply = await client.ask("SETUP", "/live/gate/track0", [`Transport: ${transport}`]);
      expect(reply.status).to.equal(status);
      expect(reply.header("session")).to.equal(undefined);
      client.socket.destroy();
    });

  it("name the session of another connection: it does not exist for them, and the other plays on", async () => {
    const thief = await stage.client();
    thief.session = reader.session;
    for (const method of ["PLAY", "PAUSE", "TEARDOWN", "GET_PARAMETER", "SET_PARAMETER"])
      for (const account of ["vms", "other"])
        expect((await thief.ask(method, "/live/gate", [], account)).status, `${method} as ${account}`).to.equal(454);
    expect((await thief.ask("SETUP", "/live/gate/track0", [TCP])).status).to.equal(454);
    await publish();
    thief.socket.destroy();
  });

  it("go on with a session under another account: it is not theirs", async () => {
    const client = await stage.client();
    await client.play("/live/gate");
    for (const method of ["SETUP", "PLAY"])
      expect((await client.ask(method, "/live/gate", [TCP], "other")).status, method).to.be.oneOf([454, 455]);
    client.socket.destroy();
    await stage.hubReaders(1);
  });

  it("set up and tear down a thousand times over UDP: every port is given back", async () => {
    const client = await stage.client();
    const before = readdirSync("/proc/self/fd").length;
    for (let round = 0; round < 250; round += 1) {
      for (const port of [40_000, 40_002])
        await client.ask("SETUP", "/live/gate/track0", [`Transport: RTP/AVP;unicast;client_port=${port}-${port + 1}`]);
      await client.ask("SETUP", "/live/gate/track0", [TCP]);
      client.session = (await client.ask("SETUP", "/live/gate/track1", [TCP.replace("0-1", "2-3")]))
        .header("session")
        ?.split(";")[0];
      expect((await client.ask("TEARDOWN", "/live/gate")).status).to.equal(200);
      client.session = undefined;
    }
    expect(readdirSync("/proc/self/fd").length).to.be.at.most(before + 4);
    client.socket.destroy();
  });

  it("send packets of every kind on every channel while they play: nothing comes of it", async () => {
    const client = await stage.client();
    await client.play("/live/gate");
    for (let channel = 0; channel < 256; channel += 1)
      client.write(Buffer.from(`$${String.fromCharCode(channel)}\0\x08\x80\xcb\0\x01abcd`, "latin1"));
    client.write(Buffer.from(`$\x01\xff\xff${"\x80\xc9".repeat(32_767)}x`, "latin1"));
    expect((await client.ask("OPTIONS", "*")).status).to.equal(200);
    await publish();
    expect(client.numbers().length).to.be.above(0);
    client.socket.destroy();
    await stage.hubReaders(1);
  });

  it("speak for somebody else over UDP: other machines ask for no key frame, and the client's own for no more than the camera is to be asked for", async () => {
    // With a key frame there, nobody who comes asks for one.
    await publish();
    const asked: true[] = [];
    stage.hub.onKeyRequest(() => void asked.push(true));
    const client = await stage.client("UDP");
    await client.play("/live/gate");
    const server = Number(/server_port=\d+-(\d+)/.exec(client.transport ?? "")?.[1]);
    const elsewhere = await openPortPair("127.0.0.2");
    for (let count = 0; count < 50; count += 1)
      await new Promise((resolve) => elsewhere.rtcp.send(KEY_REQUEST, server, "127.0.0.1", resolve));
    await publish();
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(asked, "by others").to.deep.equal([]);
    for (let count = 0; count < 50; count += 1) await client.report(KEY_REQUEST);
    while (asked.length === 0) await new Promise((resolve) => setImmediate(resolve));
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(asked.length, "by itself").to.be.at.most(5);
    elsewhere.close();
    client.socket.destroy();
    await stage.hubReaders(1);
  });

  it("ask and ask: answers come one by one, and no more wait than the limit", async () => {
    const client = await stage.client();
    for (let round = 0; round < 100; round += 1) {
      for (let count = 0; count < 30; count += 1) client.request("DESCRIBE", "/live/gate");
      expect((await client.reply(round * 30 + 29)).status).to.equal(200);
      if (round % 10 === 0) await publish();
    }
    client.socket.destroy();
  });

  it("come a thousand at a time and say half of something: no more than two hundred are there at once", async () => {
    const halves = [
      "",
      "O",
      "OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n",
      "$\0\xff\xff",
      "SET_PARAMETER * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 9\r\n\r\n",
    ];
    const sockets: Socket[] = [];
    let open = 0;
    for (let count = 0; count < 1000; count += 1) {
      const socket = connect(count % 2 === 0 ? stage.port : stage.httpPort, "127.0.0.1");
      sockets.push(socket);
      socket.on("error", () => undefined).resume();
      socket.on("connect", () => (open += 1));
      socket.on("close", () => (open -= 1));
      socket.write(halves[count % halves.length] ?? "");
      if (count % 50 === 49) await once(socket, "connect").catch(() => undefined);
    }
    const honest = await stage.client();
    expect((await honest.ask("DESCRIBE", "/live/gate")).status).to.equal(200);
    await publish();
    await stage.clock.advance(11_000);
    honest.socket.destroy();
    await Promise.all(sockets.filter((socket) => !socket.closed).map((socket) => once(socket, "close")));
    expect(open).to.equal(0);
  });

  it("have an account and open connections without end: that account's share is theirs, and others get in", async () => {
    const greedy: Client[] = [];
    for (let count = 0; count < 500; count += 1) {
      const client = await stage.client();
      expect((await client.ask("DESCRIBE", "/live/gate", [], "greedy")).status).to.equal(200);
      greedy.push(client);
    }
    const late = await stage.client();
    expect((await late.ask("DESCRIBE", "/live/gate", [], "greedy")).status).to.equal(503);
    const honest = await stage.client();
    expect((await honest.ask("DESCRIBE", "/live/gate", [], "honest")).status).to.equal(200);
    greedy[0]?.socket.destroy();
    await publish();
    for (const client of [...greedy, late, honest]) client.socket.destroy();
  });
});
