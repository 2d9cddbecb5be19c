import { Fault } from "../../base/fault.ts";
import type { PacketGroup } from "../../media/group.ts";
import type { Sent } from "../../media/sent.ts";
import type { LiveSource } from "../../media/source.ts";
import type { Range } from "../wire/range.ts";
import type { Player } from "./player.ts";
import type { GroupWriter } from "./writer.ts";

/** Plays what a camera sends now, beginning with the key frame that the hub still holds. */
export class LivePlayer implements Player {
  readonly first = new Map<number, PacketGroup>();
  readonly #source: LiveSource;
  readonly #writer: GroupWriter;
  readonly #failed: (fault: unknown) => void;
  readonly #leave: () => void;
  /** What came before `run`; afterwards undefined. */
  #held: PacketGroup[] | undefined = [];

  /** `failed`: the stream cannot go on for this reader. Called once at most. */
  constructor(source: LiveSource, writer: GroupWriter, failed: (fault: unknown) => void) {
    this.#source = source;
    this.#writer = writer;
    this.#failed = failed;
    this.#leave = source.join({
      deliver: (group) => this.#deliver(group),
      changed: () => {
        this.stop();
        this.#failed(new Fault("unavailable", "the camera's tracks are others than those described"));
      },
    });
  }

  get sent(): Sent {
    return this.#writer.sent;
  }

  get range(): Range | undefined {
    const [earliest] = [...this.first.values()].sort((a, b) => a.at - b.at);
    return earliest === undefined ? undefined : { unit: "clock", from: earliest.at };
  }

  run(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    // Nobody asks for them any more, and each session would keep a key frame of its own in memory.
    this.first.clear();
    this.#writer.headStart(held);
  }

  requestKey(): void {
    this.#source.requestKey();
  }

  stop(): void {
    this.#leave();
    this.#writer.stop();
  }

  #deliver(group: PacketGroup): void {
    if (this.#held === undefined) this.#writer.offer(group);
    else if (this.#writer.wants(group)) {
      if (!this.first.has(group.track)) this.first.set(group.track, group);
      this.#held.push(group);
    }
  }
}
