// Ports of a process that can be killed: once it is dead, nothing that it asked for is answered, and it asks no more.

/** Never settles: what a dead process waits for. */
export const forEver = new Promise<never>(() => undefined);

/** Makes a port whose calls have no effect and no answer once a life is over, as those of a killed process. */
export const mortal = <Port extends object>(port: Port, isOver: () => boolean): Port =>
  new Proxy(port, {
    get: (of, name) => {
      const own: unknown = Reflect.get(of, name);
      if (typeof own !== "function") return own;
      return (...args: readonly unknown[]) => {
        if (isOver()) return forEver;
        const answer: unknown = own.apply(of, args);
        return answer instanceof Promise ? answer.then((value) => (isOver() ? forEver : value)) : answer;
      };
    },
  });
