import { expect } from "chai";
import { asFault, Fault } from "../../base/fault.ts";
import { saveCamera } from "../../bridge/camera-side/save-camera.ts";
import type { CameraRecord, CameraStore, NewCamera } from "../../bridge/camera-store.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const URL_OF_ANOTHER = "rtsp://192.0.2.9/other";

describe("saving an adopted camera", () => {
  const adopted = { name: "Gate", ip: "192.0.2.9", streams: [{ url: "rtsp://192.0.2.9/a" }] } as unknown as NewCamera;
  const saved = (id: string, url = URL_OF_ANOTHER): CameraRecord =>
    ({ id, name: `The ${id}`, ip: "192.0.2.9", streams: [{ url }] }) as unknown as CameraRecord;
  const clock = new VirtualClock();

  const save = async (
    cameras: readonly CameraRecord[],
    { retired = [], recorded = async () => [] }: { retired?: string[]; recorded?: () => Promise<string[]> } = {},
  ): Promise<string> => {
    const store = {
      list: async () => cameras,
      retired: async () => new Set(retired),
      add: async (camera: NewCamera) => camera,
    } as unknown as CameraStore;
    return saveCamera(adopted, { store, recorded, clock }).then(
      ({ id }) => id,
      (error: unknown) => `${asFault(error).kind}: ${asFault(error).tell}`,
    );
  };

  it("gives it an id that no other one has, had, or has recordings under", async () => {
    expect(await save([])).to.equal("gate");
    expect(await save([saved("gate")], { retired: ["gate-2"], recorded: async () => ["gate-3"] })).to.equal("gate-4");
  });

  it("refuses it where it is adopted already", async () => {
    expect(await save([saved("door", "rtsp://192.0.2.9/a")])).to.equal(
      'wrong-state: this camera is already adopted as door ("The door")',
    );
  });

  it("refuses it where there are a thousand", async () => {
    const many = (count: number): CameraRecord[] => Array.from({ length: count }, (_, index) => saved(`c-${index}`));
    expect(await save(many(999))).to.equal("gate");
    expect(await save(many(1000))).to.equal("busy: this bridge takes 1000 cameras at most");
  });

  it("saves nothing where it cannot be told what there are recordings of", async () => {
    const recorded = async (): Promise<never> => {
      throw new Fault("unavailable", "no disk", { tell: "the disk is gone" });
    };
    expect(await save([], { recorded })).to.equal("unavailable: the disk is gone");
  });
});
