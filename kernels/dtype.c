/* The table of element types and the conversions between single numbers. */
#include "kernels/dtype.h"

#include <math.h>
#include <string.h>

#include "base/status.h"

static const struct dtype_info infos[] = {
#define X(name, text, elems, bytes, gguf, safetensors) [DTYPE_##name] = {text, elems, bytes, gguf, safetensors},
    DTYPE_LIST(X)
#undef X
};

const struct dtype_info *dtype_info(enum dtype dtype)
{
    check((unsigned)dtype < DTYPE_COUNT);
    return &infos[dtype];
}

bool dtype_from_gguf(uint32_t id, enum dtype *out)
{
    for (unsigned i = 0; i < DTYPE_COUNT; i++)
        if (infos[i].gguf_id >= 0 && (uint32_t)infos[i].gguf_id == id) {
            *out = (enum dtype)i;
            return true;
        }
    return false;
}

bool dtype_from_safetensors(const char *name, size_t len, enum dtype *out)
{
    for (unsigned i = 0; i < DTYPE_COUNT; i++) {
        const char *text = infos[i].safetensors;
        if (text && strlen(text) == len && memcmp(text, name, len) == 0) {
            *out = (enum dtype)i;
            return true;
        }
    }
    return false;
}

const char *dtype_gguf_name(uint32_t id)
{
    static const struct {
        uint32_t id;
        const char *name;
    } others[] = {
        {9, "Q8_1"},     {15, "Q8_K"},  {16, "IQ2_XXS"}, {17, "IQ2_XS"}, {18, "IQ3_XXS"}, {19, "IQ1_S"},
        {21, "IQ3_S"},   {22, "IQ2_S"}, {29, "IQ1_M"},   {34, "TQ1_0"},  {35, "TQ2_0"},   {39, "MXFP4"},
    };
    enum dtype dtype;
    if (dtype_from_gguf(id, &dtype))
        return infos[dtype].name;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (others[i].id == id)
            return others[i].name;
    return NULL;
}

bool dtype_is_weight(enum dtype dtype)
{
    return dtype == DTYPE_F32 || dtype == DTYPE_F16 || dtype == DTYPE_BF16 || dtype == DTYPE_F8_E4M3 ||
           infos[dtype].qblock_elems > 1;
}

static float float_of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint32_t bits_of_float(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

float f16_to_f32(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = h >> 10 & 31, mantissa = h & 0x3FF;
    if (exponent == 0) /* zero and subnormals: mantissa * 2^-24, exact in a float */
        return float_of_bits(sign | bits_of_float((float)mantissa * 0x1p-24f));
    if (exponent == 31)
        return float_of_bits(sign | 0x7F800000 | mantissa << 13);
    return float_of_bits(sign | (exponent + 112) << 23 | mantissa << 13);
}

uint16_t f16_from_f32(float value)
{
    uint32_t bits = bits_of_float(value), sign = bits >> 16 & 0x8000, magnitude = bits & 0x7FFFFFFF;
    if (magnitude > 0x7F800000)
        return (uint16_t)(sign | 0x7E00); /* NaN */
    if (magnitude >= 0x477FF000)
        return (uint16_t)(sign | 0x7C00); /* rounds to infinity */
    if (magnitude < 0x38800000) {         /* subnormal: count units of 2^-24, to nearest even */
        float units = float_of_bits(magnitude) * 0x1p24f;
        return (uint16_t)(sign | (uint32_t)nearbyintf(units));
    }
    uint32_t rounded = magnitude + 0xFFF + (magnitude >> 13 & 1);
    return (uint16_t)(sign | (rounded - 0x38000000) >> 13);
}

uint16_t bf16_from_f32(float value)
{
    uint32_t bits = bits_of_float(value);
    if ((bits & 0x7FFFFFFF) > 0x7F800000)
        return (uint16_t)(bits >> 16 | 0x40); /* NaN stays NaN */
    return (uint16_t)((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

float e4m3_to_f32(uint8_t b)
{
    uint32_t sign = (uint32_t)(b & 0x80) << 24, exponent = b >> 3 & 15, mantissa = b & 7;
    if (exponent == 15 && mantissa == 7)
        return float_of_bits(sign | 0x7FC00000);
    if (exponent == 0)
        return float_of_bits(sign | bits_of_float((float)mantissa * 0x1p-9f));
    return float_of_bits(sign | (exponent + 120) << 23 | mantissa << 20);
}
