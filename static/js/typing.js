import { t, tn } from "./text.js";

/** "Ada is typing…", for as long as it is true. */
export class TypingLine {
  #line;
  #people = new Map();

  constructor(line) {
    this.#line = line;
  }

  set(userId, name, typing) {
    clearTimeout(this.#people.get(userId)?.timer);
    this.#people.delete(userId);
    if (typing) {
      const timer = setTimeout(() => this.set(userId, name, false), 6000);
      this.#people.set(userId, { name, timer });
    }
    this.#show();
  }

  #show() {
    const names = [...this.#people.values()].map(({ name }) => name);
    this.#line.textContent = line(names);
  }
}

function line(names) {
  const [name, other] = names;
  if (!names.length) return "";
  if (names.length === 1) return t("{name} is typing…", { name });
  if (names.length === 2) return t("{name} and {other} are typing…", { name, other });
  return tn("{n} person is typing…", "{n} people are typing…", names.length);
}
