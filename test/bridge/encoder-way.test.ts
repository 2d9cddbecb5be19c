import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { MINUTE, SECOND } from "../../base/units.ts";
import type { PacketGroup } from "../../media/group.ts";
import { pictureOf } from "../../media/picture-of.ts";
import type { LiveSource } from "../../media/source.ts";
import type { SimCamera } from "../../sim/camera-options.ts";
import type { Quirk } from "../../sim/quirks.ts";
import { attributeOf } from "../../wsdl/xml.ts";
import { eventually, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { officialValidator } from "../support/official-schemas.ts";
import { OnvifClient, type Reply, texts } from "../support/onvif-client.ts";
import { onvifEndpoint } from "../support/onvif-endpoint.ts";

type Media = "trt" | "tr2";

/** A wish in the words of either service. */
function wished(
  prefix: Media,
  token: string,
  o: { width: number; height: number; fps: number; kilobits: number },
): string {
  const { width, height, fps, kilobits } = o;
  const size = `<tt:Resolution><tt:Width>${width}</tt:Width><tt:Height>${height}</tt:Height></tt:Resolution>`;
  const interval = prefix === "trt" ? "<tt:EncodingInterval>1</tt:EncodingInterval>" : "";
  const rate = `<tt:RateControl><tt:FrameRateLimit>${fps}</tt:FrameRateLimit>${interval}<tt:BitrateLimit>${kilobits}</tt:BitrateLimit></tt:RateControl>`;
  const quality = "<tt:Quality>5</tt:Quality>";
  const nowhere =
    "<tt:Multicast><tt:Address><tt:Type>IPv4</tt:Type><tt:IPv4Address>0.0.0.0</tt:IPv4Address></tt:Address><tt:Port>0</tt:Port><tt:TTL>0</tt:TTL><tt:AutoStart>false</tt:AutoStart></tt:Multicast>";
  const rest =
    prefix === "tr2"
      ? `${rate}${quality}`
      : `${quality}${rate}<tt:H264><tt:GovLength>20</tt:GovLength><tt:H264Profile>Baseline</tt:H264Profile></tt:H264>${nowhere}<tt:SessionTimeout>PT60S</tt:SessionTimeout>`;
  const group = prefix === "tr2" ? ' GovLength="20"' : "";
  const force = prefix === "trt" ? "<trt:ForcePersistence>true</trt:ForcePersistence>" : "";
  return `<${prefix}:Configuration token="${token}"${group}><tt:Name>x</tt:Name><tt:UseCount>1</tt:UseCount><tt:Encoding>H264</tt:Encoding>${size}${rest}</${prefix}:Configuration>${force}`;
}

describe("an encoder that is set through the bridge", () => {
  const valid = officialValidator();
  let t: TestBridge;
  before(async () => {
    t = await startTestBridge();
  });
  after(() => t?.close());

  const adopted = async (
    quirks: readonly Quirk[] = [],
  ): Promise<{ camera: SimCamera; id: string; admin: OnvifClient; viewer: OnvifClient }> => {
    const camera = await t.camera({ quirks });
    const id = await t.adopt(camera);
    const client = async (grants: object): Promise<OnvifClient> =>
      new OnvifClient(onvifEndpoint(t), await t.account(grants));
    const admin = await client({ live: [id], encoding: [id], events: [id] });
    // Its settings are learned in the background.
    await eventually(async () => texts(await encoderOf(admin, id), "Quality")[0] === "5");
    return { camera, id, admin, viewer: await client({ live: [id] }) };
  };
  const encoderOf = async (client: OnvifClient, token: string): Promise<Reply["element"]> =>
    (
      await client.call(
        "tr2",
        "GetVideoEncoderConfigurations",
        `<tr2:ConfigurationToken>${token}</tr2:ConfigurationToken>`,
      )
    ).element;
  const liveOf = (id: string, stream = 0): LiveSource =>
    t.bridge.parts.watch.all().find(({ info }) => info.id === id)?.streams[stream]?.live as LiveSource;
  /** Everything that comes of a stream from now on. */
  const followed = async (live: LiveSource): Promise<PacketGroup[]> => {
    await live.ready(MINUTE);
    const groups: PacketGroup[] = [];
    live.join({ deliver: (group) => void groups.push(group) });
    await eventually(() => groups.length > 5);
    return groups;
  };
  const done = (reply: Reply): void => {
    expect(reply.fault).to.equal(undefined);
    expect(valid(reply.body)).to.deep.equal([]);
  };

  for (const prefix of ["tr2", "trt"] as const)
    it(`sends another size, rate and bit rate to who goes on watching: ${prefix}`, async () => {
      const { id, camera, admin } = await adopted();
      const live = liveOf(id);
      const groups = await followed(live);
      const sessions = camera.connections;
      const wish = wished(prefix, id, { width: 320, height: 176, fps: 10, kilobits: 3000 });
      done(await admin.call(prefix, "SetVideoEncoderConfiguration", wish));
      expect(pictureOf(live.tracks[0] as never), "as it is told from now on").to.include({
        width: 320,
        height: 176,
        fps: 10,
      });
      expect(camera.connections, "described anew").to.be.greaterThan(sessions);
      const from = groups.length;
      await eventually(() => groups.length > from + 40);
      const after = groups.slice(from + 1, from + 41);
      const spanMs = (after.at(-1)?.at ?? 0) - (after[0]?.at ?? 0);
      const bytes = after.slice(1).reduce((sum, group) => sum + group.payloadBytes, 0);
      expect((39 * SECOND) / spanMs, "frames a second").to.be.within(9.5, 10.5);
      expect((bytes * 8) / spanMs, "kilobits a second").to.be.within(2900, 3100);
      const encoder = await encoderOf(admin, id);
      expect(
        ["Width", "Height", "FrameRateLimit", "BitrateLimit"].map((name) => texts(encoder, name)[0]),
      ).to.deep.equal(["320", "176", "10", "3000"]);
      expect(encoder.children[0] && attributeOf(encoder.children[0], "GovLength")).to.equal("20");
    });

  const ODD: readonly (readonly [what: string, quirks: readonly Quirk[]])[] = [
    ["Media2 alone", ["media2-only", "ragged-uri", "clock-off"]],
    ["Media 1.0 alone", ["no-get-services", "token-only"]],
  ];
  for (const [what, quirks] of ODD)
    it(`is set at a camera with ${what}, of its sub-stream alone`, async () => {
      const { id, admin } = await adopted(quirks);
      const wish = wished("tr2", `${id}_sub`, { width: 640, height: 360, fps: 5, kilobits: 512 });
      done(await admin.call("tr2", "SetVideoEncoderConfiguration", wish));
      expect(pictureOf(liveOf(id, 1).tracks[0] as never)).to.include({ width: 640, height: 360, fps: 5 });
      expect(pictureOf(liveOf(id).tracks[0] as never)).to.include({ width: 640, height: 360, fps: 15 });
    });

  it("stays as it is without the right, and its options are what it is", async () => {
    const { id, viewer, camera } = await adopted();
    // The sub-stream is looked at once.
    await eventually(() => {
      const [main, sub] = t.bridge.parts.watch.all().find(({ info }) => info.id === id)?.info.streams ?? [];
      return main?.connection.state === "online" && sub?.connection.state === "idle" && sub.tracks.length > 0;
    });
    const { connections } = camera;
    const refused = await viewer.call(
      "tr2",
      "SetVideoEncoderConfiguration",
      wished("tr2", id, { width: 320, height: 176, fps: 10, kilobits: 800 }),
    );
    expect(refused.fault?.subcodes).to.deep.equal(["InvalidArgVal", "ConfigModify"]);
    const adapted = await viewer.call(
      "tr2",
      "SetVideoEncoderConfiguration",
      wished("tr2", id, { width: 640, height: 360, fps: 10, kilobits: 800 }).replace(' GovLength="20"', ""),
    );
    done(adapted);
    expect(texts(await encoderOf(viewer, id), "FrameRateLimit")).to.deep.equal(["15"]);
    expect(camera.connections).to.equal(connections);
    const asked = `<tr2:ConfigurationToken>${id}</tr2:ConfigurationToken>`;
    const options = await viewer.call("tr2", "GetVideoEncoderConfigurationOptions", asked);
    expect(texts(options.element, "Width")).to.deep.equal(["640"]);
  });

  it("is in the audit log, with what was and what is, and told as an event", async () => {
    const { id, admin } = await adopted();
    const made = await admin.call("tev", "CreatePullPointSubscription");
    const at = new URL(texts(made.element, "Address")[0] ?? "").pathname;
    let told = "";
    // At once: the bridge need not have looked at the camera in between.
    done(
      await admin.call(
        "tr2",
        "SetVideoEncoderConfiguration",
        wished("tr2", id, { width: 640, height: 360, fps: 15, kilobits: 2048 }),
      ),
    );
    await eventually(async () => {
      const content = "<tev:Timeout>PT1S</tev:Timeout><tev:MessageLimit>50</tev:MessageLimit>";
      told += (await admin.call("tev", "PullMessages", content, false, at)).body;
      return told.includes("Media/ConfigurationChanged");
    });
    let lines: readonly string[] = [];
    // It is synced beside what is told.
    await eventually(async () => {
      const log = await readFile(join(t.folder, "audit.log"), "utf8");
      lines = log.split("\n").filter((line) => line.includes("set-encoder") && line.includes(`"${id}"`));
      return lines.length > 0;
    });
    const { before, after, outcome } = JSON.parse(lines[0] ?? "{}") as Record<string, string>;
    expect(outcome).to.equal("allowed");
    expect(JSON.parse(before ?? "")).to.include({ bitrateKilobits: 1024 });
    expect(JSON.parse(after ?? "")).to.include({ bitrateKilobits: 2048 });
  });
});
