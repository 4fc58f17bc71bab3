/** What every command says that works on the database itself. */
export const operatorHelp = `
The database is the one that BAILIWICK_DATABASE_URL names. A SQLite database is used by one process at a time: stop the
server, run the command, start it again. With PostgreSQL the server can go on running.
`;
