// A replica that prints its environment and keeps running.
console.log(JSON.stringify(process.env));
setInterval(() => undefined, 1000);
