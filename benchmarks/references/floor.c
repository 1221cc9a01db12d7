/* The floor: one send() per viewer and frame, and nothing else.

   floor PORT VIEWERS BYTES HZ: waits for VIEWERS connections, then sends each of them a frame of
   BYTES bytes HZ times a second until it is killed. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

int main(int argc, char **argv) {
  int port = atoi(argv[1]), viewers = atoi(argv[2]), bytes = atoi(argv[3]), hz = atoi(argv[4]);
  int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  signal(SIGPIPE, SIG_IGN);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (argc != 5 || bind(listener, (struct sockaddr *)&at, sizeof at) || listen(listener, 4096)) return 1;
  int *sockets = malloc(viewers * sizeof(int));
  char *frame = malloc(bytes + 4);
  memset(frame, 'x', bytes + 4);
  frame[0] = (char)0x81, frame[1] = 126, frame[2] = (char)(bytes >> 8), frame[3] = (char)bytes;
  for (int i = 0; i < viewers; i++) {
    sockets[i] = accept(listener, NULL, NULL);
    setsockopt(sockets[i], IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  }
  struct timespec pause = {.tv_sec = hz == 1, .tv_nsec = hz == 1 ? 0 : 1000000000L / hz};
  for (;;) {
    for (int i = 0; i < viewers; i++) send(sockets[i], frame, bytes + 4, MSG_DONTWAIT);
    nanosleep(&pause, NULL);
  }
}
