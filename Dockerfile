# SPDX-License-Identifier: Apache-2.0
# The daemon alone, with the libraries it needs and its health check; the module
# belongs to the host's kernel.
#
#   docker build -t page_fault_exporter .
#   docker run -d -p 9110:9110 --read-only --user 0 --cap-drop ALL \
#     --security-opt no-new-privileges \
#     -v /sys/kernel/debug:/sys/kernel/debug:ro -v /proc:/host/proc:ro \
#     -v /sys/fs/cgroup:/host/cgroup:ro \
#     page_fault_exporter --path.procfs=/host/proc --path.cgroup=/host/cgroup
#
# The module's table is root's, mode 0400: hence --user 0, which with no
# capability can read it and little else.
#
# Built on Debian 13, whose civetweb has IPv6.
FROM docker.io/library/debian:trixie-slim AS build
COPY deploy/packages /tmp/
RUN apt-get -q=2 update && apt-get -q=2 install --no-install-recommends \
      $(sed 's/#.*//' /tmp/packages) >/dev/null
WORKDIR /src
COPY CMakeLists.txt ./
COPY exporter exporter
COPY kernel/include kernel/include
COPY deploy/docker deploy/docker
RUN cmake -B /build -G Ninja -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=OFF \
      -DCMAKE_INSTALL_PREFIX=/usr && \
    cmake --build /build && \
    DESTDIR=/image cmake --install /build --strip && \
    ldd /image/usr/bin/page_fault_exporter | grep -o '/[^ ]*' | \
      xargs -I{} cp --dereference --parents {} /image && \
    g++ -std=c++20 -O2 -static -s -o /image/usr/bin/health deploy/docker/health.cc

# What builds and loads the module on a node: deploy/kubernetes. On Debian 13,
# whose libc runs the tools of newer and older kernels' headers. For nodes whose
# kernel was built by clang: --build-arg COMPILERS="clang lld llvm".
FROM docker.io/library/debian:trixie-slim AS module
ARG COMPILERS="gcc gcc-12"
RUN apt-get -q=2 update && apt-get -q=2 install --no-install-recommends \
      $COMPILERS kmod libelf1t64 make >/dev/null && \
    rm -rf /var/lib/apt/lists/*
COPY kernel /usr/src/page_faults
COPY deploy/unload-module deploy/kubernetes/load-module /usr/local/sbin/
ENTRYPOINT ["/usr/local/sbin/load-module"]

FROM scratch
LABEL org.opencontainers.image.title="page_fault_exporter" \
      org.opencontainers.image.description="Page faults of every process, for Prometheus" \
      org.opencontainers.image.version="0.2.0" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /image /
USER 65534:65534
EXPOSE 9110
HEALTHCHECK --interval=30s --timeout=5s \
  CMD ["/usr/bin/health"]
ENTRYPOINT ["/usr/bin/page_fault_exporter"]
