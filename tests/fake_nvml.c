/* A libnvidia-ml.so.1 for machines without a GPU: the calls that worker/nvml.py makes, answered from variables.

   FAKE_GPUS   one entry for each GPU: its slices (0: not cut), a colon, its load; "0:10,2:0" has two GPUs
   FAKE_ERROR  what nvmlInit returns instead of success, such as 9, "driver not loaded"

   Layouts and codes: nvml.h, https://docs.nvidia.com/deploy/nvml-api/ */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SUCCESS = 0, NOT_SUPPORTED = 3, NOT_FOUND = 6 };
typedef struct { int gpu, slice; } Device; /* slice -1: the whole GPU */
static Device devices[64][9];

static int entry(int gpu, int *slices, int *load) {
    const char *text = getenv("FAKE_GPUS");
    for (int index = 0; text && *text; index++) {
        if (sscanf(text, "%d:%d", slices, load) != 2) abort();
        if (index == gpu) return 1;
        text = strchr(text, ',');
        if (text) text++;
    }
    return 0;
}

int nvmlInitWithFlags(unsigned flags) { (void)flags; return getenv("FAKE_ERROR") ? atoi(getenv("FAKE_ERROR")) : SUCCESS; }
int nvmlShutdown(void) { return SUCCESS; }
const char *nvmlErrorString(int code) { return code == 9 ? "Driver Not Loaded" : "an error"; }

int nvmlSystemGetDriverVersion(char *text, unsigned length) {
    snprintf(text, length, "999.1");
    return SUCCESS;
}

int nvmlDeviceGetCount_v2(unsigned *count) {
    int slices, load;
    for (*count = 0; entry(*count, &slices, &load); ++*count) {}
    return SUCCESS;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, Device **device) {
    *device = &devices[index][0];
    **device = (Device){index, -1};
    return SUCCESS;
}

int nvmlDeviceGetMigDeviceHandleByIndex(Device *gpu, unsigned index, Device **device) {
    int slices, load;
    entry(gpu->gpu, &slices, &load);
    if ((int)index >= slices) return NOT_FOUND;
    *device = &devices[gpu->gpu][index + 1];
    **device = (Device){gpu->gpu, index};
    return SUCCESS;
}

int nvmlDeviceGetName(Device *device, char *text, unsigned length) {
    snprintf(text, length, device->slice < 0 ? "Fake GPU" : "Fake GPU MIG 1g.10gb");
    return SUCCESS;
}

int nvmlDeviceGetUUID(Device *device, char *text, unsigned length) {
    const char *kind = device->slice < 0 ? "GPU" : "MIG";
    snprintf(text, length, "%s-%08d-0000-0000-0000-%012d", kind, device->gpu, device->slice + 1);
    return SUCCESS;
}

int nvmlDeviceGetMemoryInfo(Device *device, unsigned long long memory[3]) {
    memory[0] = device->slice < 0 ? 80000000000 : 10000000000; /* total, free, used */
    memory[2] = 1000000000;
    memory[1] = memory[0] - memory[2];
    return SUCCESS;
}

int nvmlDeviceGetUtilizationRates(Device *device, unsigned rates[2]) {
    int slices, load;
    if (device->slice >= 0 || !entry(device->gpu, &slices, &load)) return NOT_SUPPORTED;
    rates[0] = load;
    return SUCCESS;
}

int nvmlDeviceGetMigMode(Device *device, unsigned *current, unsigned *pending) {
    int slices, load;
    entry(device->gpu, &slices, &load);
    if (slices < 0) return NOT_SUPPORTED; /* a GPU that cannot be cut */
    *current = *pending = slices > 0;
    return SUCCESS;
}

int nvmlDeviceGetMaxMigDeviceCount(Device *device, unsigned *count) {
    (void)device;
    *count = 7;
    return SUCCESS;
}
