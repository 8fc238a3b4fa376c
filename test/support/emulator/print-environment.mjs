// A replica that says what it was given, and stays.
console.log(JSON.stringify(process.env));
setInterval(() => undefined, 1000);
