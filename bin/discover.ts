import { systemClock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { createLog } from "../base/log.ts";
import { type Found, probe } from "../discovery/client/probe.ts";
import { cameraSide } from "../net/sides.ts";
import { stopSignal } from "./stop.ts";

export interface DiscoverOptions {
  readonly interface?: string[];
  readonly seconds: string;
  readonly port: string;
  readonly json?: boolean;
}

/** Prints what answers: a table, with progress on a terminal, or JSON. */
export async function discover(targets: readonly string[], options: DiscoverOptions): Promise<void> {
  const seconds = Number(options.seconds);
  if (!(seconds > 0 && seconds <= 300)) throw new Fault("invalid", "--seconds must be 1 to 300");
  const port = Number(options.port);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new Fault("invalid", "--port must be 1 to 65535");
  const cancel = new AbortController();
  void stopSignal().then(() => cancel.abort());
  const progress = process.stderr.isTTY && options.json !== true;
  let found = 0;
  const show = (text: string): void => {
    if (progress) process.stderr.write(`\r\x1b[K${text}`);
  };
  show("Asking the camera networks…");
  const cameras = await probe({
    side: cameraSide({ interfaces: options.interface ?? [], clientAddresses: [] }),
    clock: systemClock,
    log: createLog("error"),
    port,
    targets,
    durationMs: seconds * 1000,
    signal: cancel.signal,
    onFound: () => {
      found += 1;
    },
    onProgress: ({ probed, total }) =>
      show(
        total > 0
          ? `${probed} of ${total} addresses asked, ${found} cameras found`
          : `Listening, ${found} cameras found`,
      ),
  });
  show("");
  if (options.json === true) process.stdout.write(`${JSON.stringify(cameras, undefined, 2)}\n`);
  else process.stdout.write(tableOf(cameras));
}

function tableOf(cameras: readonly Found[]): string {
  if (cameras.length === 0)
    return "No camera answered. Cameras behind a router do not hear the question: name their addresses or ranges.\n";
  const rows = [
    ["ADDRESS", "NAME", "MODEL", "PLACE", "ONVIF SERVICE"],
    ...cameras.map((camera) => [
      camera.ip,
      camera.name ?? "",
      camera.hardware ?? "",
      camera.location ?? "",
      camera.xaddrs[0] ?? "",
    ]),
  ];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}
