import type { Pulling, TransportSetting } from "../camera.ts";
import type { NewCamera, NewStream } from "../camera-store.ts";
import { NOT_RECORDED, type RecordingPlan } from "../recording-plan.ts";
import type { AdoptedCamera, AdoptedStream } from "./adoption.ts";

/** What is saved of a camera: what it has told, and what was chosen for it. Blank names count for none. */
export function newCameraOf(
  adopted: AdoptedCamera,
  choice: {
    readonly name?: string;
    readonly plainText: boolean;
    readonly transport: TransportSetting;
    readonly recording: RecordingPlan;
  },
): Omit<NewCamera, "id" | "adoptedAt"> {
  const { ip, manufacturer, model, serial, deviceUrl, credentials, tlsPin, streams } = adopted;
  const { plainText, transport, recording } = choice;
  const [main, ...others] = streams;
  return {
    name: choice.name?.trim() || adopted.name,
    manufacturer,
    model,
    serial,
    ip,
    deviceUrl: deviceUrl?.href,
    credentials,
    tlsPin,
    plainText,
    transport,
    retention: {},
    // The others are there for those who watch.
    streams: [
      recordOf(main, "always", recording),
      ...others.map((stream) => recordOf(stream, "on-demand", NOT_RECORDED)),
    ],
  };
}

function recordOf({ name, url }: AdoptedStream, pulling: Pulling, recording: RecordingPlan): NewStream {
  return { name, url: url.href, pulling, recording, workedTransport: undefined, tracks: [] };
}
