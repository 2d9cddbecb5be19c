import { expect } from "chai";
import type { SimCamera } from "../../sim/camera-options.ts";
import { eventually, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { officialValidator } from "../support/official-schemas.ts";
import { OnvifClient, texts } from "../support/onvif-client.ts";
import { onvifEndpoint } from "../support/onvif-endpoint.ts";
import { WebClient } from "../support/web-client.ts";

describe("the way of an event through a bridge", () => {
  let t: TestBridge;
  let camera: SimCamera;
  let id: string;

  before(async () => {
    t = await startTestBridge();
    camera = await t.camera({ name: "Gate", quirks: ["motion-by-rule", "wrong-host-uri"] });
    id = await t.adopt(camera);
  });
  after(() => t?.close());

  it("leads from the camera's detector, and from its going, to a client that has the right, and to no other", async () => {
    const [may, mayNot] = await Promise.all([t.account({ events: [id] }), t.account()]);
    const [told, untold] = [may, mayNot].map((login) => {
      const client = new OnvifClient(onvifEndpoint(t), login);
      let path: string | undefined;
      let all = "";
      return async (): Promise<string> => {
        if (path === undefined) {
          const { element } = await client.call("tev", "CreatePullPointSubscription");
          path = new URL(texts(element, "Address")[0] ?? "").pathname;
        }
        const content = "<tev:Timeout>PT0S</tev:Timeout><tev:MessageLimit>100</tev:MessageLimit>";
        const reply = await client.call("tev", "PullMessages", content, false, path);
        expect(officialValidator()(reply.body)).to.deep.equal([]);
        all += texts(reply.element, "Topic").length === 0 ? "" : reply.body;
        return all;
      };
    }) as [() => Promise<string>, () => Promise<string>];
    const motion = new RegExp(`VideoSource/MotionAlarm<.*?Name="Source" Value="${id}".*?Name="State" Value="true"`);
    await eventually(async () => motion.test(await told()));
    expect(await told()).not.to.include("CellMotionDetector");
    // Only of a camera that was there it is told that it went.
    await eventually(async () => /SignalLoss<(?:(?!<wsnt:Topic).)*"false"/.test(await told()));
    await camera.pause();
    await eventually(async () =>
      /SignalLoss<(?:(?!<wsnt:Topic).)*Changed(?:(?!<wsnt:Topic).)*"true"/.test(await told()),
    );
    await camera.resume();
    expect(await untold()).to.equal("");
  });

  it("leads from a password guessed at the pages to a client that may read the bridge's status", async () => {
    const { accounts, addresses } = t.bridge.parts;
    const { account, secret } = await accounts.createIntegration({
      name: "watcher",
      grants: [{ right: "read-status", cameras: "any", interfaces: "any" }],
    });
    const client = new OnvifClient(onvifEndpoint(t), { ...account, secret: secret.reveal() });
    const { element } = await client.call("tev", "CreatePullPointSubscription");
    const path = new URL(texts(element, "Address")[0] ?? "").pathname;
    const guesser = new WebClient(addresses().doors.https);
    for (let attempt = 0; attempt < 6; attempt += 1) await guesser.logIn("ada", "not the password");
    const content = "<tev:Timeout>PT0S</tev:Timeout><tev:MessageLimit>100</tev:MessageLimit>";
    const { body } = await client.call("tev", "PullMessages", content, false, path);
    expect(body).to.match(/SecurityPolicy\/AuthFailed<.*?Name="UserName" Value="ada"/);
  });
});
