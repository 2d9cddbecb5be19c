import { execFileSync } from "node:child_process";
import { closeSync, copyFileSync, mkdirSync, openSync, readFileSync, rmSync, truncateSync, writeSync } from "node:fs";
import type { Context } from "mocha";
import { errorCode } from "../../recorder/files.ts";
import { missing, peer } from "./peer.ts";

/** Bytes that a disk is filled with in one go. */
const PIECE_BYTES = 4096;

/** An ext4 disk of some megabytes in a file, at a folder; what it takes is root's. */
export class LoopDisk {
  readonly #image: string;
  readonly #folder: string;
  readonly #device: string;
  #isFrozen = false;

  private constructor(image: string, folder: string, device: string) {
    this.#image = image;
    this.#folder = folder;
    this.#device = device;
  }

  /** Makes and mounts one, or skips the test of `context` where loop devices may not be made. */
  static make(context: Context, folder: string, megabytes: number): LoopDisk {
    for (const program of ["mkfs.ext4", "losetup", "mount", "umount", "fsfreeze"]) peer(context, program);
    const image = `${folder}.img`;
    let device: string;
    closeSync(openSync(image, "w"));
    truncateSync(image, megabytes * 1024 * 1024);
    try {
      device = attach(image);
    } catch {
      rmSync(image);
      return missing(context, "the right to make loop devices (root's, and /dev/loop-control)");
    }
    return LoopDisk.#mounted(new LoopDisk(image, folder, device), () => run("mkfs.ext4", "-q", "-m", "0", device));
  }

  static #mounted(disk: LoopDisk, prepare: () => void): LoopDisk {
    try {
      prepare();
      mkdirSync(disk.#folder, { recursive: true });
      disk.mount();
      return disk;
    } catch (error) {
      disk.remove();
      throw error;
    }
  }

  /** What a power cut at this moment would leave, mounted at another folder. Whoever writes to the disk must be stopped meanwhile. */
  afterPowerCut(folder: string): LoopDisk {
    const image = `${folder}.img`;
    // The kernel may write back of its own accord: a copy that another one equals is of one moment.
    do copyFileSync(this.#image, image);
    while (!readFileSync(image).equals(readFileSync(this.#image)));
    return LoopDisk.#mounted(new LoopDisk(image, folder, attach(image)), () => undefined);
  }

  mount(): void {
    run("mount", "-o", "errors=remount-ro", this.#device, this.#folder);
  }

  /** Lazily, as by somebody who is in a hurry: what is open goes on. */
  unmount(): void {
    run("umount", "--lazy", this.#folder);
  }

  /** As the kernel does at an error of the disk. */
  becomeReadOnly(): void {
    run("mount", "-o", "remount,abort", this.#folder);
  }

  /** Whoever writes to it waits, without an error, until {@link thaw}; who reads does not. */
  freeze(): void {
    run("fsfreeze", "--freeze", this.#folder);
    this.#isFrozen = true;
  }

  thaw(): void {
    if (this.#isFrozen) run("fsfreeze", "--unfreeze", this.#folder);
    this.#isFrozen = false;
  }

  /** Takes all of its room. */
  fill(): void {
    const file = openSync(this.#filler, "w");
    try {
      for (;;) writeSync(file, Buffer.alloc(PIECE_BYTES));
    } catch (error) {
      if (errorCode(error) !== "ENOSPC") throw error;
    } finally {
      closeSync(file);
    }
  }

  empty(): void {
    rmSync(this.#filler);
  }

  /** May be called at any time. */
  remove(): void {
    this.thaw();
    for (const [program, ...args] of [
      ["umount", "--lazy", "--quiet", this.#folder],
      ["losetup", "--detach", this.#device],
    ] as const)
      try {
        run(program, ...args);
      } catch {
        // It is not mounted, or gone.
      }
    rmSync(this.#image, { force: true });
  }

  get #filler(): string {
    return `${this.#folder}/filler`;
  }
}

function attach(image: string): string {
  return run("losetup", "--find", "--show", image).trim();
}

function run(program: string, ...args: readonly string[]): string {
  return execFileSync(program, args, { stdio: "pipe", encoding: "utf8" });
}
