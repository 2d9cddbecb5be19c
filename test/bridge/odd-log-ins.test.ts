import { createHash } from "node:crypto";
import { connect } from "node:net";
import { expect } from "chai";
import { Client, type Reply } from "../rtsp/server/stage.ts";
import { eventually, type Login, startTestBridge, type TestBridge } from "../support/bridge.ts";

const md5 = (text: string): string => createHash("md5").update(text).digest("hex");

/** A client that knows MD5 alone, without `qop`, and goes on with the nonce that it has (RFC 2069). */
class OldClient {
  readonly client: Client;
  readonly #base: string;
  readonly #login: Login;

  constructor(t: TestBridge, login: Login) {
    const port = t.bridge.parts.addresses().doors.rtsp ?? 0;
    this.#base = `rtsp://127.0.0.1:${port}`;
    this.#login = login;
    this.client = new Client(connect(port, "127.0.0.1"), this.#base);
  }

  /** Of the challenge of MD5. */
  async challenge(path: string): Promise<{ readonly realm: string; readonly nonce: string }> {
    let text = "";
    this.client.socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
    });
    expect((await this.client.ask("DESCRIBE", path, [], "")).status).to.equal(401);
    const [, realm = "", nonce = ""] = /Digest realm="([^"]*)", nonce="([^"]*)"[^\r]*algorithm=MD5/.exec(text) ?? [];
    expect(nonce).not.to.equal("");
    return { realm, nonce };
  }

  async ask(
    method: string,
    path: string,
    nonce: { readonly realm: string; readonly nonce: string },
    more = "",
  ): Promise<Reply> {
    const { name, secret } = this.#login;
    const uri = this.#base + path;
    const response = md5(`${md5(`${name}:${nonce.realm}:${secret}`)}:${nonce.nonce}:${md5(`${method}:${uri}`)}`);
    const said = `username="${name}", realm="${nonce.realm}", nonce="${nonce.nonce}", uri="${uri}", response="${response}"`;
    const reply = await this.client.ask(
      method,
      path,
      [`Authorization: Digest ${said}`, ...(more === "" ? [] : [more])],
      "",
    );
    this.client.session ??= reply.header("session")?.split(";")[0];
    return reply;
  }
}

describe("a whole bridge and clients of older habits", () => {
  let t: TestBridge;
  let id: string;
  let login: Login;
  const clients: OldClient[] = [];

  before(async () => {
    t = await startTestBridge();
    id = await t.adopt(await t.camera({ audio: true, width: 320, height: 176 }));
    login = await t.account();
  });
  after(async () => {
    for (const { client } of clients) client.socket.destroy();
    await t?.close();
  });

  const open = async (): Promise<OldClient> => {
    const one = new OldClient(t, login);
    clients.push(one);
    await one.client.connected;
    return one;
  };

  it("knows MD5 without qop, and one nonce for several connections (go2rtc#2232): every one of them plays", async () => {
    const first = await open();
    const nonce = await first.challenge(`/live/${id}`);
    for (const one of [first, await open(), await open()]) {
      expect((await one.ask("DESCRIBE", `/live/${id}`, nonce)).status).to.equal(200);
      expect((await one.ask("SETUP", `/live/${id}/track0`, nonce, "Transport: RTP/AVP/TCP;unicast")).status).to.equal(
        200,
      );
      expect((await one.ask("PLAY", `/live/${id}`, nonce)).status).to.equal(200);
      await one.client.until(() => one.client.numbers().length > 0);
    }
  });

  it("takes two tracks with one SSRC for one (Nx, SharpRealTimeStreaming#23): each has its own, live and recorded", async () => {
    const source = t.cameras(login)[0]?.recorded;
    await eventually(async () => ((await source?.extent())?.to ?? 0) > 0);
    for (const path of [`/live/${id}`, `/recorded/${id}`]) {
      const one = await open();
      const nonce = await one.challenge(path);
      for (const track of [0, 1])
        await one.ask(
          "SETUP",
          `${path}/track${track}`,
          nonce,
          `Transport: RTP/AVP/TCP;unicast;interleaved=${track * 2}-${track * 2 + 1}`,
        );
      expect((await one.ask("PLAY", path, nonce)).status).to.equal(200);
      const ssrcs = (channel: number): ReadonlySet<number> =>
        new Set(
          one.client.packets.filter((each) => each.channel === channel).map(({ packet }) => packet.readUInt32BE(8)),
        );
      await one.client.until(() => ssrcs(0).size > 0 && ssrcs(2).size > 0);
      expect([ssrcs(0).size, ssrcs(2).size, new Set([...ssrcs(0), ...ssrcs(2)]).size], path).to.deep.equal([1, 1, 2]);
    }
  });
});
