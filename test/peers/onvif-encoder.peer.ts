import { expect } from "chai";
import { Cam } from "onvif/promises/index.js";
import type { Picture } from "../../media/picture-of.ts";
import { pictureOf } from "../../media/picture-of.ts";
import { eventually, type Login, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { type Peer, pythonPeer } from "../support/peer.ts";

/** Loads our WSDL, reads the first encoder and its options, sets the smallest size, 10 frames and 700 kbit a second, and prints what is then. */
const ZEEP = `
import sys
from requests import Session
from requests.auth import HTTPDigestAuth
from zeep import Client
from zeep.transports import Transport
url, user, password = sys.argv[1:]
session = Session()
session.trust_env = False
session.auth = HTTPDigestAuth(user, password)
media = Client(url, transport=Transport(session=session)).bind("Viaduct")
older = "media_service" in url
def first():
    return media.GetVideoEncoderConfigurations()[0]
encoder = first()
options = media.GetVideoEncoderConfigurationOptions(ConfigurationToken=encoder.token)
sizes = options.H264.ResolutionsAvailable if older else options[0].ResolutionsAvailable
encoder.Resolution = min(sizes, key=lambda one: one.Width)
encoder.RateControl.FrameRateLimit = 10
encoder.RateControl.BitrateLimit = 700
if older:
    media.SetVideoEncoderConfiguration(Configuration=encoder, ForcePersistence=True)
else:
    media.SetVideoEncoderConfiguration(Configuration=encoder)
now = first()
print(now.Resolution.Width, now.Resolution.Height, int(now.RateControl.FrameRateLimit), now.RateControl.BitrateLimit)
`;

/** What of npm's onvif its types leave out. */
interface EncoderCam {
  connect(): Promise<unknown>;
  getVideoEncoderConfigurations(): Promise<readonly { readonly rateControl: object }[]>;
  setVideoEncoderConfiguration(encoder: object): Promise<unknown>;
}

describe("an encoder that other programs set through the bridge", () => {
  let t: TestBridge;
  let python: Peer;

  before(async function () {
    python = pythonPeer(this, "zeep");
    t = await startTestBridge();
  });
  after(() => t?.close());

  const adopted = async (): Promise<{ readonly login: Login; readonly picture: () => Picture | undefined }> => {
    const id = await t.adopt(await t.camera());
    const found = () => t.bridge.parts.watch.all().find(({ info }) => info.id === id);
    await eventually(() => found()?.control.controls.encoders.has("main") === true);
    const picture = (): Picture | undefined => {
      const [track] = found()?.info.streams[0].tracks ?? [];
      return track && pictureOf(track);
    };
    return { login: await t.account({ live: [id], encoding: [id] }), picture };
  };
  const http = (): number => t.bridge.parts.addresses().doors.http ?? 0;

  for (const path of ["media_service", "media2_service"])
    it(`zeep, by our own WSDL of ${path}`, async () => {
      const { login, picture } = await adopted();
      const url = `http://127.0.0.1:${http()}/onvif/${path}?wsdl`;
      const { code, stdout, stderr } = await python.run(["-c", ZEEP, url, login.name, login.secret]);
      expect(code, stderr).to.equal(0);
      expect(stdout.toString().trim()).to.equal("320 176 10 700");
      expect(picture()).to.include({ width: 320, height: 176, fps: 10 });
    });

  it("npm onvif, in the order of Media 1.0 as it writes all of Media2", async () => {
    const { login, picture } = await adopted();
    const cam = new Cam({
      hostname: "127.0.0.1",
      port: http(),
      username: login.name,
      password: login.secret,
      useWSSecurity: false,
      autoconnect: false,
    }) as unknown as EncoderCam;
    await cam.connect();
    const [encoder] = await cam.getVideoEncoderConfigurations();
    const rateControl = { ...encoder?.rateControl, frameRateLimit: 5 };
    await cam.setVideoEncoderConfiguration({ ...encoder, resolution: { width: 320, height: 176 }, rateControl });
    expect(picture()).to.include({ width: 320, height: 176, fps: 5 });
  });
});
