import { Fault } from "../base/fault.ts";
import type { Account } from "./account.ts";

/** Whose password was right, and which one that was: where it has been replaced meanwhile, it chooses nothing. */
export interface PasswordProved {
  readonly account: Pick<Account, "id" | "name">;
  /** Another value when the credential is another; undefined matches none. */
  readonly generation: string | undefined;
}

/**
 * The password was right, and somebody else has set it: it is good for choosing another, and for nothing else. To whom it is known besides
 * its owner nobody knows: whoever made the account, and whatever brought it to its owner.
 */
export class PasswordIsTemporary extends Fault implements PasswordProved {
  readonly account: Pick<Account, "id" | "name">;
  readonly generation: string;

  constructor(account: Pick<Account, "id" | "name">, generation: string) {
    super("denied", `${account.name} has to choose a password first`, {
      tell: "your password was set by somebody else, and you have to choose one of your own first: log in at the pages",
    });
    this.account = account;
    this.generation = generation;
  }
}
