import { expect } from "chai";
import { systemClock } from "../../../base/clock.ts";
import { Fault, type FaultKind, isFault } from "../../../base/fault.ts";
import { silentLog } from "../../../base/log.ts";
import { type CameraControls, readControls } from "../../../onvif/client/controls.ts";
import { Conversation } from "../../../onvif/client/conversation.ts";
import type { SimCamera } from "../../../sim/camera-options.ts";
import { CREDENTIALS, side, startCamera } from "../../sim/fixture.ts";

describe("what of a camera can be controlled", () => {
  let camera: SimCamera;
  before(async () => {
    camera = await startCamera({ controls: true, clock: systemClock });
  });
  after(() => camera.close());

  /** Operations of encoders end with that fault. */
  const read = (streams: readonly string[], fault?: FaultKind): Promise<CameraControls> => {
    const device = new URL(camera.deviceUrl);
    const ip = device.hostname;
    const { signal } = new AbortController();
    const asking = { side, clock: systemClock, credentials: CREDENTIALS, device, ip, signal };
    const conversation = new Conversation(asking);
    const ask = conversation.ask.bind(conversation) as (...all: unknown[]) => unknown;
    conversation.ask = ((table: never, operation: string, ...rest: never[]) =>
      fault !== undefined && operation.includes("VideoEncoder")
        ? Promise.reject(new Fault(fault, operation))
        : ask(table, operation, ...rest)) as never;
    return readControls(conversation, { device, ip, streams: streams.map((one) => new URL(one)), log: silentLog() });
  };

  it("has the encoder of each stream, in their order, and none of one that no profile has", async () => {
    const { encoders } = await read([camera.rtspUrl, "rtsp://127.0.0.1/none", camera.subUrl ?? ""]);
    expect(encoders.map((one) => one && [one.token, one.settings.width])).to.deep.equal([
      ["video_encoder_main", 640],
      undefined,
      ["video_encoder_sub", 320],
    ]);
  });

  for (const fault of ["invalid", "denied", "unavailable"] as const)
    it(`is known without the encoders where asking for these ends with ${fault}`, async () => {
      const { ptz, relays, encoders } = await read([camera.rtspUrl], fault);
      expect([ptz === undefined, relays.length, encoders]).to.deep.equal([false, 1, [undefined]]);
    });

  it("is not known where the camera does not let the bridge in", async () => {
    const refused = await read([camera.rtspUrl], "unauthenticated").catch((error: unknown) => error);
    expect(isFault(refused, "unauthenticated")).to.equal(true);
  });
});
