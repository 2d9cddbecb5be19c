import { expect } from "chai";
import { Cam } from "onvif/promises/index.js";
import type { SimCamera } from "../../sim/camera-options.ts";
import { LOGIN, startCamera } from "./fixture.ts";

describe("npm's onvif and a simulated camera", () => {
  let camera: SimCamera;
  before(async () => {
    camera = await startCamera({ audio: true });
  });
  after(() => camera.close());

  for (const useWSSecurity of [true, false])
    it(`logs in with ${useWSSecurity ? "UsernameToken" : "HTTP digest"} and gets to the stream`, async () => {
      const { hostname, port } = new URL(camera.deviceUrl);
      const cam = new Cam({
        hostname,
        port: Number(port),
        username: LOGIN.user,
        password: LOGIN.password,
        useWSSecurity,
        autoconnect: false,
      });
      await cam.connect();
      // The package's types know the form without options only.
      const ask = cam.getStreamUri as (options: object) => Promise<unknown>;
      expect(await ask.call(cam, { protocol: "RTSP" })).to.deep.include({ uri: camera.rtspUrl });
      const { model } = await cam.getDeviceInformation();
      expect(model).to.equal("Simulated camera");
    });

  it("is refused with a wrong password", async () => {
    const { hostname, port } = new URL(camera.deviceUrl);
    const cam = new Cam({ hostname, port: Number(port), username: LOGIN.user, password: "wrong", autoconnect: false });
    const refusal = await cam.connect().then(
      () => undefined,
      (error: unknown) => String(error),
    );
    expect(refusal).to.match(/not authorized|401/i);
  });
});
