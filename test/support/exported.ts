import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { silentLog } from "../../base/log.ts";
import { Metrics } from "../../base/metrics.ts";
import type { Secret } from "../../base/secret.ts";
import { unixMillis } from "../../base/units.ts";
import type { KeyRing } from "../../keys/ring.ts";
import type { PacketGroup } from "../../media/group.ts";
import { issuedBy, selfSigned } from "../../net/tls.ts";
import { Archive } from "../../recorder/archive.ts";
import { Catalog } from "../../recorder/catalog.ts";
import { FolderBundle } from "../../recorder/export/bundle.ts";
import { type ExportOrder, makeExport, type OrderedCamera } from "../../recorder/export/make-export.ts";
import type { Manifest } from "../../recorder/export/manifest.ts";
import { ZipBundle } from "../../recorder/export/zip-writer.ts";
import { diskFiles, type OpenFile } from "../../recorder/files.ts";
import { certificateOf, type Signer } from "../../recorder/signature.ts";
import { GroupCamera } from "./group-camera.ts";
import { oneVolume } from "./one-volume.ts";
import { AUDIO_TRACK, audioSample, START_MS, VIDEO_TRACK, videoSample } from "./recorder-samples.ts";
import { slowFile } from "./slow-file.ts";
import { VirtualClock } from "./virtual-clock.ts";

const NAME = "CN=Test recordings";

/** A key that signs recordings, and one that signs exports. */
export interface Signers {
  readonly recorder: Signer;
  readonly exporter: Signer;
}

export async function makeSigners(): Promise<Signers> {
  const { privateKey } = generateKeyPairSync("ed25519");
  const pkcs8 = privateKey.export({ type: "pkcs8", format: "der" });
  const now = unixMillis(START_MS);
  const recorder = { privateKey, certificate: certificateOf(await selfSigned(pkcs8, NAME, now)).raw };
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ type: "pkcs8", format: "der" });
  const pem = await issuedBy({ pkcs8, name: NAME }, { pkcs8: rsa, name: "CN=Test exports", now });
  const exporter = {
    privateKey: createPrivateKey({ key: rsa, format: "der", type: "pkcs8" }),
    certificate: certificateOf(pem).raw,
  };
  return { recorder, exporter };
}

/** Seconds of footage, from `START_MS` on, and seconds within them of which nothing comes. */
export interface Footage {
  readonly seconds: number;
  readonly without?: readonly [from: number, to: number];
  readonly sound?: boolean;
  /** Seconds within them of which no picture comes. */
  readonly blind?: readonly [from: number, to: number];
  /** Seconds within them in which the camera says that it has sound alone. */
  readonly soundAlone?: readonly [from: number, to: number];
  /** The group of an index; one that no decoder takes if absent. */
  readonly frame?: (index: number) => PacketGroup;
}

/** Records cameras (`gate`, `gate/sub`) in segments of ten seconds, signed, a key frame every second. */
export async function recordFor(
  folder: string,
  cameras: Readonly<Record<string, Footage>>,
  o: { readonly signer?: Signer | undefined; readonly keys?: KeyRing | undefined },
): Promise<void> {
  const archive = await Archive.open({
    folder,
    clock: new VirtualClock(unixMillis(START_MS)),
    log: silentLog(),
    metrics: new Metrics(),
    signer: o.signer,
    settings: { segmentMs: 10_000, ...(o.keys && { encryption: "full" }) },
    ...(o.keys && { keys: o.keys }),
  });
  for (const [name, footage] of Object.entries(cameras)) {
    const camera = new GroupCamera();
    const [id = "", stream = "main"] = name.split("/");
    const recorder = archive.recorder(id, stream);
    const described = footage.sound === true ? [VIDEO_TRACK, AUDIO_TRACK] : [VIDEO_TRACK];
    recorder.describe(described);
    const isWithin = (index: number, [from, to]: readonly [number, number] = [0, 0]): boolean =>
      index >= from * 25 && index < to * 25;
    for (let index = 0; index < footage.seconds * 25; index += 1) {
      if (isWithin(index, footage.without)) continue;
      const isAlone = isWithin(index, footage.soundAlone);
      if (footage.soundAlone?.some((at) => index === at * 25) === true)
        recorder.describe(isAlone ? [AUDIO_TRACK] : described);
      if (!isWithin(index, footage.blind) && !isAlone)
        recorder.push(footage.frame?.(index) ?? camera.group(0, videoSample(index, { bytes: 300 + name.length })));
      if (footage.sound === true)
        for (const half of [0, 1]) recorder.push(camera.group(1, audioSample(2 * index + half), isAlone ? 0 : 1));
      if (index % 25 === 0) await recorder.idle();
    }
    await recorder.idle();
  }
  await archive.close();
}

/** What is asked for, in seconds of the footage. */
export interface Asked {
  readonly fromSeconds: number;
  readonly toSeconds: number;
  readonly cameras: readonly (Partial<OrderedCamera> & { readonly id: string })[];
}

export function orderOf({ fromSeconds, toSeconds, cameras }: Asked): ExportOrder {
  return {
    id: "7f0e",
    from: unixMillis(START_MS + fromSeconds * 1000),
    to: unixMillis(START_MS + toSeconds * 1000),
    cameras: cameras.map((one) => ({
      name: `Camera ${one.id}`,
      stream: "main",
      leftOut: new Set(),
      notBeforeUs: () => 0,
      ...one,
    })),
    askedBy: "anna",
    askedThrough: "web",
    reason: "case </script> 117",
  };
}

const asIs = (file: OpenFile): OpenFile => file;

/** Exports into a folder, or into a ZIP file where `path` ends so. */
export async function exportTo(
  path: string,
  archive: string,
  asked: Asked,
  o: Signers & {
    readonly keys?: KeyRing | undefined;
    readonly password?: Secret;
    readonly signal?: AbortSignal;
    /** A disk that takes its time. */
    readonly isSlow?: boolean;
  },
): Promise<Manifest> {
  const now = unixMillis(START_MS + 3_600_000);
  const bundle = path.endsWith(".zip")
    ? new ZipBundle((o.isSlow === true ? slowFile : asIs)(await diskFiles.open(path, "create")), {
        password: o.password,
        modified: now,
      })
    : await FolderBundle.create(path);
  const catalog = await Catalog.open(`${archive}/catalog.db`);
  try {
    return await makeExport(orderOf(asked), {
      place: { volumes: oneVolume(archive, catalog), files: diskFiles, catalog, keys: o.keys },
      bundle,
      protectedBy: o.password === undefined ? "nothing" : "password",
      signer: o.exporter,
      recorder: o.recorder.certificate,
      software: "Viaduct test",
      installation: "test",
      now,
      ...(o.signal && { signal: o.signal }),
    });
  } finally {
    await catalog.close();
  }
}
