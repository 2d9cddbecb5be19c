import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Context } from "mocha";
import { stringify } from "yaml";
import { eventually, startTestBridge, type TestBridge } from "./bridge.ts";
import { LoopDisk } from "./loop-disk.ts";
import { type Ended, type Running, startViaduct, viaduct } from "./viaduct.ts";

/** With the threads that it is installed with: one that waits for a disk is not missing elsewhere. */
const INSTALLED = [process.execPath, join(import.meta.dirname, "../../bin/viaduct")] as const;
const DISK_MEGABYTES = 64;
const ANSWER_SECONDS = 3;

/** A bridge with a disk that can be frozen, and the commands with its configuration once it is closed. */
export interface FreezableBridge {
  readonly t: TestBridge;
  readonly disk: LoopDisk;
  /** Of which the folders of the volumes are, by their names, and `recordings`. */
  readonly folder: string;
  /** `viaduct check --verify`. */
  check(): Promise<Ended>;
  /** `viaduct serve`, which is running; it is ended with the rest. */
  serve(): Promise<Running>;
  /** Has `served` end while the disk is frozen, and thaws it when nothing else keeps the process. */
  endFrozen(served: Running): Promise<void>;
  close(): Promise<void>;
}

/** What {@link FreezableBridge.check} finds where nothing is wrong. */
export const AGREEMENT: Ended = { code: 0, out: "Catalog and recordings agree.\n", err: "" };

/** Skips the test of `context` where disks may not be made. `frozen`: the folder, of `folder`, that is a disk of its own. */
export async function freezableBridge(
  context: Context,
  o: { readonly frozen: string; readonly volumes: readonly string[]; readonly segmentSeconds?: number },
): Promise<FreezableBridge> {
  const folder = await mkdtemp(join(tmpdir(), "viaduct-frozen-"));
  const config = join(folder, "viaduct.yaml");
  let disk: LoopDisk | undefined;
  let t: TestBridge | undefined;
  let running: Running | undefined;
  const close = async (): Promise<void> => {
    disk?.thaw();
    await running?.stop("SIGKILL");
    await t?.close();
    disk?.remove();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const made = LoopDisk.make(context, join(folder, o.frozen), DISK_MEGABYTES);
    disk = made;
    await mkdir(join(folder, "other"));
    const recordings = join(folder, "recordings");
    const volumes = o.volumes.map((name) => ({ name, folder: join(folder, name), keepFreeGigabytes: 0 }));
    t = await startTestBridge({
      folder: join(folder, "data"),
      recordings,
      volumes,
      answerSeconds: ANSWER_SECONDS,
      ...(o.segmentSeconds !== undefined && { segmentSeconds: o.segmentSeconds }),
    });
    await writeFile(
      config,
      stringify({
        dataFolder: t.folder,
        cameraSide: { interfaces: [t.cameraNetwork] },
        clientSide: { addresses: ["127.0.0.1"], web: { port: 0 }, rtsps: { port: 0 } },
        recording: {
          folder: recordings,
          segmentSeconds: 10,
          flushSeconds: 0,
          keepFreeGigabytes: 0,
          answerSeconds: ANSWER_SECONDS,
          volumes,
        },
      }),
    );
    return {
      t,
      disk: made,
      folder,
      check: () => viaduct(["check", "--config", config, "--verify"]),
      async serve() {
        running = startViaduct(["serve", "--config", config], { command: INSTALLED });
        await running.until("is running");
        return running;
      },
      async endFrozen(served) {
        const ended = served.stop();
        await eventually(() => served.err().includes("everything is closed"));
        // Dead, but for the thread that waits in the kernel.
        await eventually(() => / Z /.test(readFileSync(`/proc/${served.pid}/stat`, "utf8")));
        made.thaw();
        await ended;
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
