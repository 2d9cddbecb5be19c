import { expect } from "chai";
import { type Browser, type BrowserContext, chromium } from "playwright-core";
import { eventually, type Login, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { peer } from "../support/peer.ts";

/** For a browser that hangs. */
const LIMIT_MS = 180_000;

interface Seen {
  /** Statuses of the answers, in order. */
  readonly statuses: readonly number[];
  /** Sequence numbers of RTP packets. */
  readonly sequences: readonly number[];
  readonly text: boolean;
  readonly code: number | undefined;
}

/** A small player that runs in the page: RTSP in a WebSocket, up to `most` packets of the first track. */
const PLAYER = async ({ url, presentation, authorization, most }: Readonly<Record<string, string>>): Promise<Seen> => {
  const ws = new WebSocket(url ?? "", "rtsp.onvif.org");
  ws.binaryType = "arraybuffer";
  const statuses: number[] = [];
  const sequences: number[] = [];
  let session = "";
  let text = false;
  let bytes = new Uint8Array(0);
  const steps = [`DESCRIBE ${presentation}`, `SETUP ${presentation}/track0`, `PLAY ${presentation}`];
  const next = (): void => {
    const step = steps[statuses.length];
    if (step === undefined) return;
    const lines = [`${step} RTSP/1.0`, `CSeq: ${statuses.length + 1}`, `Authorization: ${authorization}`];
    if (step.startsWith("SETUP")) lines.push("Transport: RTP/AVP/TCP;unicast;interleaved=0-1");
    if (session !== "") lines.push(`Session: ${session}`);
    ws.send(new TextEncoder().encode(`${lines.join("\r\n")}\r\n\r\n`));
  };
  const take = (): boolean => {
    if (bytes[0] === 0x24) {
      const length = ((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0);
      if (bytes.length < 4 + length) return false;
      if (bytes[1] === 0) sequences.push(((bytes[6] ?? 0) << 8) | (bytes[7] ?? 0));
      bytes = bytes.slice(4 + length);
      return true;
    }
    const answer = new TextDecoder("latin1").decode(bytes);
    const end = answer.indexOf("\r\n\r\n");
    if (end < 0) return false;
    const head = answer.slice(0, end);
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
    if (bytes.length < end + 4 + length) return false;
    bytes = bytes.slice(end + 4 + length);
    statuses.push(Number(head.split(" ")[1]));
    session = /session: ([^;\r]+)/i.exec(head)?.[1] ?? session;
    if (statuses.at(-1) === 200) next();
    return true;
  };
  return new Promise((resolve) => {
    const done = (code?: number): void => {
      ws.close();
      resolve({ statuses, sequences, text, code });
    };
    ws.addEventListener("open", next);
    ws.addEventListener("close", ({ code }) => done(code));
    ws.addEventListener("message", ({ data }) => {
      if (typeof data === "string") {
        text = true;
        return;
      }
      const more = new Uint8Array(data as ArrayBuffer);
      const joined = new Uint8Array(bytes.length + more.length);
      joined.set(bytes);
      joined.set(more, bytes.length);
      bytes = joined;
      while (bytes.length > 4 && take());
      if (sequences.length >= Number(most) || (statuses.at(-1) ?? 200) >= 400) done();
    });
  });
};

describe("RTSP in a WebSocket, in Chromium", () => {
  let t: TestBridge;
  let id: string;
  let login: Login;
  let browser: Browser;
  let context: BrowserContext;

  before(async function () {
    const { program } = peer(this, "chromium");
    t = await startTestBridge();
    id = await t.adopt(await t.camera());
    login = await t.account();
    await eventually(async () => {
      const extent = await t.cameras(login)[0]?.recorded.extent();
      return extent !== undefined && extent.to - extent.from > 5000;
    });
    const args = ["--no-sandbox", "--disable-gpu"];
    browser = await chromium.launch({ executablePath: program, args, timeout: LIMIT_MS });
    context = await browser.newContext({ ignoreHTTPSErrors: true });
    context.setDefaultTimeout(LIMIT_MS);
  });
  after(async () => {
    await browser?.close();
    await t?.close();
  });

  const play = async (who: Login, path: string, most: number): Promise<Seen> => {
    const { https, http } = t.bridge.parts.addresses().doors;
    // A page of another origin: our plain door has none of ours.
    const page = await context.newPage();
    await page.goto(`http://127.0.0.1:${http}/healthz`);
    const authorization = `Basic ${Buffer.from(`${who.name}:${who.secret}`).toString("base64")}`;
    const url = `wss://127.0.0.1:${https}/onvif/rtsp`;
    const presentation = `rtsp://127.0.0.1:${https}/${path}`;
    const seen = await page.evaluate(PLAYER, { url, presentation, authorization, most: `${most}` });
    await page.close();
    return seen;
  };

  for (const kind of ["live", "recorded"])
    it(`plays ${kind} without a gap`, async () => {
      const { statuses, sequences, text } = await play(login, `${kind}/${id}`, 100);
      expect(statuses).to.deep.equal([200, 200, 200]);
      expect(text).to.equal(false);
      expect(sequences).to.have.length.at.least(100);
      const first = sequences[0] ?? 0;
      expect(sequences).to.deep.equal(sequences.map((_, index) => (first + index) & 0xffff));
    });

  const refused: readonly (readonly [why: string, who: () => Promise<Login>, status: number])[] = [
    ["a wrong secret", async () => ({ ...login, secret: "wrong" }), 401],
    ["a hidden camera", () => t.account({ live: ["other"] }), 404],
    ["what is not granted", () => t.account({ playback: "any" }), 403],
  ];
  for (const [why, who, status] of refused)
    it(`is refused for ${why}`, async () => {
      expect((await play(await who(), `live/${id}`, 1)).statuses).to.deep.equal([status]);
    });

  it("ends when the account is disabled", async () => {
    const other = await t.account();
    const playing = play(other, `live/${id}`, 1e9);
    const { rtspSessions, accounts } = t.bridge.parts;
    await eventually(() => rtspSessions(other.name) > 0);
    await accounts.change(other.id, { enabled: false });
    expect((await playing).code).to.equal(1006);
  });
});
