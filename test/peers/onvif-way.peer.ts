import { expect } from "chai";
import type { CamOptions } from "onvif";
import { Cam } from "onvif/promises/index.js";
import { eventually, type Login, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { peer } from "../support/peer.ts";

describe("a camera in, and out to an ONVIF client", () => {
  let t: TestBridge;
  let id: string;
  let login: Login;

  before(async () => {
    t = await startTestBridge();
    id = await t.adopt(await t.camera());
    login = await t.account();
  });
  after(() => t?.close());

  async function connected(who: Login, more: Partial<CamOptions> = {}): Promise<Cam> {
    const cam = new Cam({
      hostname: "127.0.0.1",
      port: t.bridge.parts.addresses().doors.http ?? 0,
      username: who.name,
      password: who.secret,
      useWSSecurity: false,
      ...more,
    });
    await cam.connect();
    return cam;
  }

  /** An address with the log-in that players take from it. */
  const withLogin = (address: string, { name, secret }: Login): string =>
    address.replace("://", `://${name}:${secret}@`);
  const show = [
    "-v",
    "error",
    "-rtsp_transport",
    "tcp",
    "-show_entries",
    "stream=codec_name,width,height",
    "-of",
    "compact=p=0",
  ];

  it("plays live from the address that it is told", async function () {
    const ffprobe = peer(this, "ffprobe");
    const cam = await connected(login);
    const { uri } = await cam.getStreamUri();
    const { code, stdout, stderr } = await ffprobe.run([...show, withLogin(uri, login)]);
    expect(code, stderr).to.equal(0);
    const [, width, height] = /codec_name=h264\|width=(\d+)\|height=(\d+)/.exec(stdout.toString()) ?? [];
    const { activeSource } = cam as unknown as { readonly activeSource: object };
    expect(activeSource).to.include({ encoding: "H264", width: Number(width), height: Number(height) });
  });

  it("plays what was recorded from the address that it is told", async function () {
    const ffprobe = peer(this, "ffprobe");
    const cam = await connected(login);
    await eventually(async () => {
      const { dataFrom, dataUntil } = await cam.getRecordingSummary();
      return Date.parse(dataUntil) - Date.parse(dataFrom) > 2000;
    });
    const uri = await cam.getReplayUri({ recordingToken: id });
    const { code, stdout, stderr } = await ffprobe.run([...show, withLogin(uri, login)]);
    expect(code, stderr).to.equal(0);
    expect(stdout.toString()).to.include("codec_name=h264");
  });

  it("does not get to recordings that are not granted", async () => {
    const cam = await connected(await t.account({ live: [id] }));
    expect(await cam.getStreamUri())
      .to.have.property("uri")
      .that.matches(/^rtsp:/);
    expect(await cam.getReplayUri({ recordingToken: id }).then(String, String)).to.include("not allowed");
  });

  it("is refused with a wrong secret", async () => {
    const outcome = await connected({ ...login, secret: "wrong" })
      .then((cam) => cam.getDeviceInformation())
      .then(String, String);
    expect(outcome).to.match(/wrong name or password|401/);
  });
});
