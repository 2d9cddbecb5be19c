import { expect } from "chai";
import { type Login, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { RtspsClient } from "../support/rtsps-client.ts";

describe("an address that names kinds of tracks", () => {
  let t: TestBridge;
  let id: string;
  let login: Login;

  before(async () => {
    t = await startTestBridge();
    id = await t.adopt(await t.camera({ name: "Gate", audio: true }));
    login = await t.account({ live: "any", audio: "any", metadata: "any" });
  });
  after(() => t.close());

  const addressOf = (rest: string): string =>
    `rtsps://127.0.0.1:${t.bridge.parts.addresses().doors.rtsps}/live/${id}${rest}`;
  const open = (): Promise<RtspsClient> => RtspsClient.open(t.bridge.parts.addresses().doors.rtsps);
  const credentials = (): string =>
    `Authorization: Basic ${Buffer.from(`${login.name}:${login.secret}`).toString("base64")}`;

  const medias = async (query: string): Promise<readonly string[]> => {
    const client = await open();
    const { body } = await client.ask("DESCRIBE", addressOf(query), [credentials()]);
    client.close();
    return [...body.toString().matchAll(/^m=(\w+)/gm)].map(([, kind = ""]) => kind);
  };

  const cases: readonly (readonly [query: string, medias: readonly string[]])[] = [
    ["", ["video", "audio", "application"]],
    ["?tracks=video", ["video"]],
    ["?tracks=audio", ["audio"]],
    ["?tracks=video,audio", ["video", "audio"]],
    ["?tracks=audio,metadata,nonsense", ["audio", "application"]],
    ["?srtp&tracks=video", ["video"]],
    ["?tracks=", []],
  ];
  for (const [query, expected] of cases)
    it(`describes ${expected.join(", ") || "nothing"} for "${query}"`, async () => {
      expect(await medias(query)).to.deep.equal(expected);
    });

  it("plays those, and nothing else is there to be set up", async () => {
    const client = await open();
    const { status } = await client.play(addressOf("?tracks=audio"), login);
    expect(status).to.equal(200);
    const setUp = async (track: number): Promise<number> => {
      const transport = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1";
      const other = await open();
      const answer = await other.ask("SETUP", addressOf(`/track${track}?tracks=audio`), [credentials(), transport]);
      other.close();
      return answer.status;
    };
    expect([await setUp(0), await setUp(1), await setUp(2)]).to.deep.equal([403, 200, 403]);
    client.close();
  });
});
