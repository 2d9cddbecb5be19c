import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { CamOptions } from "onvif";
import { Cam } from "onvif/promises/index.js";
import { systemClock } from "../../base/clock.ts";
import { cameraIdentity } from "../../bridge/client-side/onvif/camera-device.ts";
import { type Identity, loadIdentity } from "../../net/tls.ts";
import { startConsumer, toLoopback } from "../support/consumer.ts";
import { CAMERAS, PROFILES } from "../support/onvif-cameras.ts";
import { type OnvifLogin, type OnvifTestSite, startOnvifSite, UUID } from "../support/onvif-site.ts";

type Item = Readonly<{ [name: string]: unknown }>;

/** Lists come as one thing when there is one. */
const listed = (of: unknown): readonly Item[] => (Array.isArray(of) ? of : [of]) as readonly Item[];

/** What the package can besides, and its own types do not know. */
interface Writing {
  createProfile(options: { readonly name: string; readonly token: string }): Promise<unknown>;
  deleteProfile(token: string): Promise<unknown>;
  getVideoEncoderConfigurations(): Promise<readonly Item[]>;
  setVideoEncoderConfiguration(encoder: Item): Promise<unknown>;
  getAudioEncoderConfigurations(): Promise<readonly Item[]>;
  setAudioEncoderConfiguration(encoder: Item): Promise<unknown>;
}

/** Asks with options; the package's own types know the form without them only. */
function ask(cam: Cam, what: "getStreamUri" | "getSnapshotUri", options: object): Promise<unknown> {
  return (cam[what] as (given: object) => Promise<unknown>)(options);
}

describe("npm's onvif as a client of ours", () => {
  let folder: string;
  let identity: Identity;
  let site: OnvifTestSite;
  let login: OnvifLogin;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "viaduct-onvif-"));
    identity = await loadIdentity(folder, ["127.0.0.1"], systemClock);
    site = await startOnvifSite({
      clock: systemClock,
      identity,
      consumers: toLoopback(),
      cameraDevices: { discoverable: true, own: [], shown: new Map() },
    });
    login = await site.account();
  });
  after(async () => {
    await site?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const ways: Readonly<Record<string, () => CamOptions>> = {
    "UsernameToken, then digest": () => ({ hostname: "127.0.0.1", port: site.port, useWSSecurity: true }),
    "digest alone": () => ({ hostname: "127.0.0.1", port: site.port, useWSSecurity: false }),
    "digest inside TLS, checking our certificate": () => ({
      hostname: "127.0.0.1",
      port: site.tlsPort ?? 0,
      useWSSecurity: false,
      useSecure: true,
      secureOpts: { ca: identity.cert },
    }),
  };
  const camera = (way: keyof typeof ways, secret = login.secret): Cam =>
    new Cam({ ...(ways[way] as () => CamOptions)(), username: login.name, password: secret });

  for (const way of Object.keys(ways)) {
    it(`logs in by ${way} and gets to every camera's stream`, async () => {
      const cam = camera(way);
      await cam.connect();
      const profiles = listed(await cam.getProfiles()) as readonly { readonly $: { readonly token: string } }[];
      expect(profiles.map(({ $ }) => $.token)).to.deep.equal(PROFILES);
      for (const { $ } of profiles) {
        const answer = await ask(cam, "getStreamUri", { protocol: "RTSP", profileToken: $.token });
        expect(answer).to.include({ uri: `rtsp://127.0.0.1:8554/live/${$.token.replace("_sub", "/sub")}` });
      }
      const { uri } = await cam.getStreamUri();
      expect(uri).to.equal("rtsp://127.0.0.1:8554/live/gate");
    });

    it(`logs in by ${way}, makes a profile and deletes it again`, async () => {
      const cam = camera(way) as Cam & Writing;
      await cam.connect();
      expect(await cam.createProfile({ name: "Own", token: "own-1" })).to.have.property("name", "Own");
      const tokens = async (): Promise<readonly unknown[]> =>
        (listed(await cam.getProfiles()) as readonly { readonly $: { readonly token: string } }[]).map(
          ({ $ }) => $.token,
        );
      expect(await tokens()).to.include("own-1");
      await cam.deleteProfile("own-1");
      expect(await tokens()).to.deep.equal(PROFILES);
    });

    it(`logs in by ${way} and gets to the recordings`, async () => {
      const cam = camera(way);
      await cam.connect();
      const recordings = listed(await cam.getRecordings());
      expect(recordings.map(({ recordingToken }) => recordingToken)).to.deep.equal(CAMERAS.map(({ id }) => id));
      const summary = await cam.getRecordingSummary();
      expect(summary).to.deep.include({ numberRecordings: CAMERAS.length });
      expect(await cam.getReplayUri({ recordingToken: "gate" })).to.equal("rtsp://127.0.0.1:8554/recorded/gate");
    });

    it(`is refused by ${way} with a wrong secret`, async () => {
      const cam = camera(way, "wrong");
      const outcome = await cam.getDeviceInformation().then(
        () => "let in",
        (error: unknown) => String(error),
      );
      expect(outcome).to.match(/wrong name or password|not authorized|401|Unauthorized|digest/i);
    });
  }

  it("writes each encoder as it has read it, and is refused one that would be otherwise", async () => {
    const cam = camera("digest alone") as Cam & Writing;
    await cam.connect();
    const videos = listed(await cam.getVideoEncoderConfigurations());
    const audios = listed(await cam.getAudioEncoderConfigurations());
    expect([videos.length, audios.length]).to.deep.equal([5, 2]);
    // It escapes no names.
    const isPlain = ({ name }: Item): boolean => /^[\w ]+$/.test(String(name));
    for (const video of videos.filter(isPlain)) await cam.setVideoEncoderConfiguration(video);
    for (const audio of audios.filter(isPlain)) await cam.setAudioEncoderConfiguration(audio);
    const other = { ...videos[0], resolution: { width: 640, height: 360 } };
    expect(await cam.setVideoEncoderConfiguration(other).then(String, String)).to.match(/Wrong .* response/);
  });

  it("reads who we are", async () => {
    const cam = camera("digest alone");
    expect(await cam.getDeviceInformation()).to.include({ manufacturer: "Viaduct", firmwareVersion: "1.2.3" });
    expect(await cam.getSystemDateAndTime()).to.be.instanceOf(Date);
    const scopes = listed(await cam.getScopes());
    expect(scopes.map(({ scopeItem }) => scopeItem)).to.deep.equal(site.part.devices("127.0.0.1")[0]?.scopes);
  });

  it("subscribes to events, is told what happens, and unsubscribes", async () => {
    const cam = camera("digest alone") as unknown as Cam & Record<string, (options?: object) => Promise<unknown>>;
    await cam.connect();
    await cam["createPullPointSubscription"]?.();
    const pull = async (): Promise<string> => JSON.stringify(await cam["pullMessages"]?.({ messageLimit: 100 }));
    expect(await pull())
      .to.include("VideoSource/SignalLoss")
      .and.include("Initialized");
    const waiting = pull();
    site.bus.publish({
      camera: "gate",
      kind: "motion",
      topic: ["VideoSource", "MotionAlarm"],
      source: [["Source", "gate"]],
      data: [["State", "true"]],
      property: true,
    });
    expect(await waiting)
      .to.include("VideoSource/MotionAlarm")
      .and.include("gate");
    await cam["unsubscribe"]?.();
    // It has forgotten the subscription, which it does only where that was taken.
    expect(await pull().then(() => "still there", String)).to.match(/create pull-point/i);
  });

  it("subscribes to events, is sent what happens, renews, and unsubscribes", async () => {
    const consumer = await startConsumer();
    try {
      const cam = camera("digest alone") as unknown as Cam & Record<string, (options?: object) => Promise<unknown>>;
      await cam.connect();
      await cam["subscribe"]?.({ url: `http://127.0.0.1:${consumer.port}/told` });
      expect((await consumer.request(0)).body)
        .to.include("VideoSource/SignalLoss")
        .and.include("Initialized");
      await cam["renew"]?.();
      await cam["unsubscribe"]?.();
    } finally {
      await consumer.close();
    }
  });

  it("finds at the device of one camera that camera alone", async () => {
    const cam = new Cam({
      hostname: "127.0.0.1",
      port: site.port,
      useWSSecurity: false,
      username: login.name,
      password: login.secret,
      path: "/onvif/camera/yard/device_service",
    });
    await cam.connect();
    const profiles = listed(await cam.getProfiles()) as readonly { readonly $: { readonly token: string } }[];
    expect(profiles.map(({ $ }) => $.token)).to.deep.equal(PROFILES.filter((token) => token.startsWith("yard")));
    expect(listed(await cam.getRecordings()).map(({ recordingToken }) => recordingToken)).to.deep.equal(["yard"]);
    expect((await cam.getStreamUri()).uri).to.equal("rtsp://127.0.0.1:8554/live/yard");
    expect(JSON.stringify(await cam.getNetworkInterfaces())).to.include(cameraIdentity(UUID, "yard").mac);
  });

  it("is told that there is no picture to be had by HTTP", async () => {
    const cam = camera("digest alone");
    await cam.connect();
    const outcome = await ask(cam, "getSnapshotUri", { profileToken: "old" }).then(String, String);
    expect(outcome).to.include("has no snapshot");
  });
});
