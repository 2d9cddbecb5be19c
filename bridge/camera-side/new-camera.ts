import type { Pulling, TransportSetting } from "../camera.ts";
import type { NewCamera, NewStream } from "../camera-store.ts";
import type { AdoptedCamera, AdoptedStream } from "./adopt.ts";

/** What is saved of a camera: what it has told, and what was chosen for it. Blank names count for none. */
export function newCameraOf(
  adopted: AdoptedCamera,
  choice: { readonly name?: string; readonly plainText: boolean; readonly transport: TransportSetting },
): Omit<NewCamera, "id" | "adoptedAt"> {
  const { ip, manufacturer, model, serial, deviceUrl, credentials, tlsPin, streams } = adopted;
  const { plainText, transport } = choice;
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
    // The main stream is recorded; the others are there for those who watch.
    streams: [recordOf(main, "always"), ...others.map((stream) => recordOf(stream, "on-demand"))],
  };
}

function recordOf({ name, url }: AdoptedStream, pulling: Pulling): NewStream {
  return { name, url: url.href, pulling, workedTransport: undefined, tracks: [] };
}
