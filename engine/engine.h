/* The engine process: frames in on a socket, steps, frames out. */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

/* Serves one front on `fd` until it says stop or closes; returns the process's exit code (0, 70, 74). Call once, with no other
 * threads: it starts its own. */
int engine_run(int fd);

#endif
