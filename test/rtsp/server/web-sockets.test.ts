import { once } from "node:events";
import { connect } from "node:net";
import { expect } from "chai";
import { WebSocket } from "ws";
import { groupOf, Stage } from "./stage.ts";
import type { WebSocketed } from "./web-socketed.ts";

const OPTIONS = "OPTIONS * RTSP/1.0\r\nCSeq: 7\r\n\r\n";

describe("RTSP in WebSockets", () => {
  let stage: Stage;
  const sockets: WebSocket[] = [];

  beforeEach(async () => {
    stage = new Stage();
    await stage.start();
  });
  afterEach(async () => {
    for (const ws of sockets.splice(0)) ws.terminate();
    await stage.close();
    expect(stage.clock.pending, "timers").to.equal(0);
  });

  const dial = (protocols: string | readonly string[] = "rtsp.onvif.org", headers = {}): WebSocket => {
    const ws = new WebSocket(`ws://127.0.0.1:${stage.httpPort}/onvif/rtsp`, [protocols].flat(), { headers });
    sockets.push(ws);
    ws.on("error", () => undefined);
    return ws;
  };
  const open = async (...of: Parameters<typeof dial>): Promise<WebSocket> => {
    const ws = dial(...of);
    await once(ws, "open");
    return ws;
  };
  const message = async (ws: WebSocket): Promise<string> => {
    const [data, isBinary] = (await once(ws, "message")) as [Buffer, boolean];
    expect(isBinary).to.equal(true);
    return data.toString();
  };

  it("speak the subprotocol of ONVIF, uncompressed, among others that a client offers", async () => {
    const ws = await open(["chat", "rtsp.onvif.org"]);
    expect([ws.protocol, ws.extensions]).to.deep.equal(["rtsp.onvif.org", ""]);
    ws.send(Buffer.from(OPTIONS));
    expect(await message(ws)).to.match(/^RTSP\/1\.0 200 OK\r\nCSeq: 7\r\n/);
  });

  for (const protocols of [[], "chat"])
    it(`are refused to who offers ${JSON.stringify(protocols)}`, async () => {
      const [, response] = (await once(dial(protocols), "unexpected-response")) as [unknown, { statusCode: number }];
      expect(response.statusCode).to.equal(400);
    });

  it("take requests cut over messages, and fragments", async () => {
    const ws = await open();
    for (const character of OPTIONS.slice(0, 10)) ws.send(Buffer.from(character));
    ws.send(Buffer.from(OPTIONS.slice(10, 20)), { fin: false });
    ws.send(Buffer.from(OPTIONS.slice(20)), { fin: true });
    expect(await message(ws)).to.include("CSeq: 7");
  });

  it("bring a group in one message", async () => {
    const client = await stage.client("WebSocket");
    let messages = 0;
    stage.hub.publish(groupOf(10));
    await client.play("/live/gate");
    await client.until(() => client.numbers().includes(10));
    client.socket.on("data", () => {
      messages += 1;
    });
    stage.hub.publish(groupOf(11, { bytes: 50_000 }));
    await client.until(() => client.numbers().includes(11));
    expect(messages).to.equal(1);
    client.socket.destroy();
  });

  it("are for pages of any origin, which must log in like anybody", async () => {
    const ws = await open("rtsp.onvif.org", { origin: "https://elsewhere.example", cookie: "session=of-somebody" });
    ws.send(Buffer.from("DESCRIBE rtsp://h/live/gate RTSP/1.0\r\nCSeq: 1\r\n\r\n"));
    expect(await message(ws)).to.match(/^RTSP\/1\.0 401 /);
  });

  const hostile: readonly (readonly [what: string, send: (ws: WebSocket) => void])[] = [
    ["text", (ws) => ws.send(OPTIONS)],
    ["a huge message", (ws) => ws.send(Buffer.alloc(1024 * 1024))],
    [
      "a huge message in fragments",
      (ws) => {
        for (let count = 0; count < 64; count += 1) ws.send(Buffer.alloc(16 * 1024), { fin: false });
      },
    ],
    ["garbage", (ws) => ws.send(Buffer.alloc(16 * 1024, 0xff))],
    ["packets before SETUP", (ws) => ws.send(Buffer.from([0x24, 0, 0, 1, 0]))],
  ];
  for (const [what, send] of hostile)
    it(`hang up on ${what}`, async () => {
      const ws = await open();
      const closed = once(ws, "close");
      send(ws);
      await closed;
    });

  it("do not pile up answers to pings that nobody reads", async () => {
    const client = await stage.client("WebSocket");
    const { ws } = client.socket as WebSocketed;
    ws.ping("first");
    expect(String((await once(ws, "pong"))[0])).to.equal("first");
    stage.hub.publish(groupOf(10));
    await client.play("/live/gate");
    client.socket.pause();
    for (let number = 11; number < 400; number += 1) stage.hub.publish(groupOf(number, { bytes: 64_000 }));
    const [ours] = stage.upgraded;
    const written = (): number => ours?.bytesWritten ?? 0;
    const before = written();
    expect(ours?.writableLength).to.be.greaterThan(256 * 1024);
    for (let count = 0; count < 5000; count += 1) ws.ping("x".repeat(125));
    client.request("OPTIONS", "*", [], "");
    // The answer to what came behind them.
    while (written() === before) await new Promise((resolve) => setImmediate(resolve));
    expect(written() - before).to.be.within(1, 1000);
    client.socket.destroy();
  });

  it("count as newcomers until they log in, so that an honest client gets in among hundreds", async () => {
    const flood = Array.from({ length: 400 }, () => dial());
    const isClosed = ({ readyState }: WebSocket): boolean => readyState === WebSocket.CLOSED;
    while (flood.filter(isClosed).length < 150) await new Promise((resolve) => setImmediate(resolve));
    stage.hub.publish(groupOf(10));
    const honest = await stage.client("WebSocket");
    expect((await honest.play("/live/gate")).status).to.equal(200);
    honest.socket.destroy();
  });

  it("hang up on frames without a mask, which no browser sends", async () => {
    const raw = connect(stage.httpPort, "127.0.0.1");
    raw.on("error", () => undefined);
    const head = ["GET /onvif/rtsp HTTP/1.1", "Host: x", "Connection: Upgrade", "Upgrade: websocket"];
    const keys = ["Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="];
    raw.write([...head, ...keys, "Sec-WebSocket-Protocol: rtsp.onvif.org", "\r\n"].join("\r\n"));
    await once(raw, "data");
    const closed = once(raw, "close");
    raw.resume();
    raw.write(Buffer.from([0x82, 1, 0x24]));
    await closed;
  });
});
