import { expect } from "chai";
import { Fault } from "../../../base/fault.ts";
import type { VideoEncoder } from "../../../media/video-settings.ts";
import { SoapFault } from "../../../wsdl/envelope.ts";
import { type FakeControl, fakeControl } from "../../support/fake-control.ts";
import { officialValidator } from "../../support/official-schemas.ts";
import { written } from "../../support/onvif-calls.ts";
import { OnvifClient, texts } from "../../support/onvif-client.ts";
import { type OnvifTestSite, startOnvifSite } from "../../support/onvif-site.ts";

type Media = "trt" | "tr2";

/** As the first camera of the fakes sends: 1920 by 1080, H.264 Baseline. */
const ENCODER: VideoEncoder = {
  settings: {
    encoding: "H264",
    width: 1920,
    height: 1080,
    quality: 4,
    fps: 20,
    bitrateKilobits: 3000,
    groupFrames: 40,
    profile: "Baseline",
  },
  choices: {
    sizes: [
      { width: 1920, height: 1080 },
      { width: 640, height: 360 },
    ],
    quality: { min: 1, max: 6 },
    rates: [25, 20, 12.5, 5, 1],
    bitrateKilobits: { min: 256, max: 8000 },
    groupFrames: { min: 1, max: 200 },
    profiles: ["Baseline", "High"],
  },
};

describe("the encoder of a camera that lets itself be set", () => {
  const valid = officialValidator();
  let site: OnvifTestSite;
  let control: FakeControl;
  let setter: OnvifClient;
  let watcher: OnvifClient;

  const start = async (of: FakeControl): Promise<void> => {
    await site?.close();
    control = of;
    site = await startOnvifSite({ control });
    const client = async (...rights: readonly ("live" | "encoding")[]): Promise<OnvifClient> =>
      new OnvifClient(
        site,
        await site.account(rights.map((right) => ({ right, cameras: "any", interfaces: "any" }))),
        "token",
      );
    setter = await client("live", "encoding");
    watcher = await client("live");
  };
  beforeEach(() => start(fakeControl(new Map([["main", ENCODER]]))));
  after(() => site.close());

  const options = async (client: OnvifClient, prefix: Media): Promise<(name: string) => readonly string[]> => {
    const asked = `<${prefix}:ConfigurationToken>gate</${prefix}:ConfigurationToken>`;
    const reply = await client.call(prefix, "GetVideoEncoderConfigurationOptions", asked);
    expect(reply.fault).to.equal(undefined);
    expect(valid(reply.body)).to.deep.equal([]);
    return (name) => texts(reply.element, name);
  };
  const set = async (client: OnvifClient, prefix: Media, change: (xml: string) => string): Promise<string> => {
    const now = written(await client.call(prefix, "GetVideoEncoderConfigurations"), prefix, "gate");
    const wish = change(now);
    if (change !== asIs) expect(wish, "a change").not.to.equal(now);
    const reply = await client.call(prefix, "SetVideoEncoderConfiguration", wish);
    expect(valid(reply.body)).to.deep.equal([]);
    return reply.fault === undefined ? "set" : reply.fault.subcodes.join("/");
  };
  const asIs = (xml: string): string => xml;
  const to =
    (name: string, value: number | string) =>
    (xml: string): string =>
      xml
        .replace(new RegExp(`${name}>[^<]*<`), `${name}>${value}<`)
        .replace(new RegExp(`${name}="[^"]*"`), `${name}="${value}"`);
  const wanted = (): readonly object[] =>
    control.asked.filter(([operation]) => operation === "setEncoder").map(([, request]) => request);

  for (const prefix of ["trt", "tr2"] as const) {
    it(`is told with what the camera says of it, to everybody who sees it: ${prefix}`, async () => {
      for (const client of [setter, watcher]) {
        const { body } = await client.call(prefix, "GetVideoEncoderConfigurations");
        expect(valid(body)).to.deep.equal([]);
        const gate = written({ body } as never, prefix, "gate");
        for (const part of ["Quality>4<", "FrameRateLimit>20<", "BitrateLimit>3000<"]) expect(gate).to.include(part);
        expect(gate).to.match(/GovLength(?:>|=")40/);
      }
    });

    it(`has the camera's options for who may set it, and what it is for others: ${prefix}`, async () => {
      const may = await options(setter, prefix);
      expect(may("Width")).to.include.members(["1920", "640"]);
      expect(may("Max")).to.include.members(["6", "8000"]);
      const others = await options(watcher, prefix);
      expect([...new Set(others("Width"))]).to.deep.equal(["1920"]);
      expect(others("Max")).not.to.include("8000");
    });

    const taken: readonly (readonly [what: string, change: (xml: string) => string, request: object | undefined])[] = [
      ["what it is", asIs, undefined],
      ["a size", (xml) => to("Height", 360)(to("Width", 640)(xml)), { width: 640, height: 360 }],
      ["a rate", to("FrameRateLimit", 5), { fps: 5 }],
      ["the nearest rate that there is", to("FrameRateLimit", 7), { fps: 5 }],
      ["a bit rate", to("BitrateLimit", 1000), { bitrateKilobits: 1000 }],
      ["the highest bit rate", to("BitrateLimit", 100_000), { bitrateKilobits: 8000 }],
      ["the least quality", to("Quality", 0), { quality: 1 }],
      ["a group length", to("GovLength", 60), { groupFrames: 60 }],
      ["a profile", (xml) => xml.replace(/(Profile(?:>|="))Baseline/, "$1High"), { profile: "High" }],
      ["no rate at all, which is unknown", to("FrameRateLimit", 0), undefined],
      ["another name, which is the camera's", to("tt:Name", "Door"), undefined],
    ];
    for (const [what, change, request] of taken)
      it(`is set to ${what}: ${prefix}`, async () => {
        expect(await set(setter, prefix, change)).to.equal("set");
        expect(wanted()).to.deep.equal(request === undefined ? [] : [{ stream: "main", ...request }]);
      });

    const refused: readonly (readonly [what: string, change: (xml: string) => string])[] = [
      ["a size that it does not offer", to("Width", 641)],
      ["a profile that it does not offer", (xml) => xml.replace(/(Profile(?:>|="))Baseline/, "$1Main")],
      ["another encoding, which everybody would have to set up anew", to("Encoding", "JPEG")],
      ["key frames further apart than everybody who joins can wait", to("FrameRateLimit", 1)],
    ];
    for (const [what, change] of refused)
      it(`is not set to ${what}: ${prefix}`, async () => {
        expect(await set(setter, prefix, change)).to.equal("InvalidArgVal/ConfigModify");
        expect(wanted()).to.deep.equal([]);
      });

    it(`is left as it is without the right: ${prefix}`, async () => {
      expect(await set(watcher, prefix, to("BitrateLimit", 1000))).to.equal("set");
      expect(await set(watcher, prefix, to("Width", 640))).to.equal("InvalidArgVal/ConfigModify");
      expect(wanted()).to.deep.equal([]);
    });

    it(`tells what the camera says where it refuses, and the audit log that it failed: ${prefix}`, async () => {
      const says = new SoapFault("invalid", "Receiver", ["Action", "ConfigurationConflict"], "It refuses");
      await start({ ...control, setEncoder: () => Promise.reject(says) });
      expect(await set(setter, prefix, to("BitrateLimit", 1000))).to.equal("Action/ConfigurationConflict");
      const [entry] = site.audited.filter(({ action }) => action === "set-encoder");
      expect(entry).to.include({ camera: "gate", outcome: "failed", after: '{"bitrateKilobits":1000}' });
      await start({ ...control, setEncoder: () => Promise.reject(new Fault("unavailable", "secret address")) });
      expect(await set(setter, prefix, to("BitrateLimit", 1000))).not.to.include("secret");
    });
  }

  it("counts for nothing where the camera sends another encoding than it says", async () => {
    const settings = { ...ENCODER.settings, encoding: "H265" };
    await start(fakeControl(new Map([["main", { ...ENCODER, settings }]])));
    expect((await options(setter, "tr2"))("Width")).to.deep.equal(["1920"]);
    expect(await set(setter, "tr2", to("BitrateLimit", 1000))).to.equal("set");
    expect(wanted()).to.deep.equal([]);
  });
});
