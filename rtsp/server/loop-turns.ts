/** Told apart by its number alone. */
let current = 0;
let asked = false;
let waiting: (() => void)[] = [];

/** The turn of the event loop that this is in, by a number that no later one has. One immediate a turn, for all who ask. */
export function thisTurn(): number {
  ask();
  return current;
}

/** Calls `act` in the next turn. It must not throw. */
export function nextTurn(act: () => void): void {
  ask();
  waiting.push(act);
}

function ask(): void {
  if (asked) return;
  asked = true;
  setImmediate(() => {
    asked = false;
    current += 1;
    const acts = waiting;
    waiting = [];
    for (const act of acts) act();
  });
}
